import { type Persona } from '@cadastre/device-layout';
import { StreamRevision } from '@cadastre/event-store';
import {
  functionStream, type LayoutGround, type LayoutWish, type PersonaName, personaOf, type RegisteredFunction,
} from '@cadastre/lifecycle';
import { type ModelEvidence } from '../functions/model-evidence.js';
import { type Guard } from '../recorder.js';
import { type StreamReader } from '../stream-reader.js';

/** A wish as a command brings it: the persona by its name; `version` null is the newest. */
export interface NamedWish extends Omit<LayoutWish, 'persona'> {
  readonly persona: { readonly name: PersonaName; readonly version: number | null } | null;
}

/** Everything known of a function that a layout is decided from. */
export async function groundOf(
  owned: RegisteredFunction, reader: StreamReader, evidence: ModelEvidence,
): Promise<LayoutGround> {
  const facts = owned.observation?.facts;
  return {
    function: owned,
    physicalFunction: await physicalFunctionOf(owned, reader),
    evidence: facts ? await evidence.of(facts) : null,
  };
}

/** A VF's PF as far as it is known; null when the function is no VF. */
export async function physicalFunctionOf(
  owned: RegisteredFunction, reader: StreamReader,
): Promise<LayoutGround['physicalFunction']> {
  const sriov = owned.observation?.facts.sriov;
  if (sriov?.role !== 'vf') return null;
  if (sriov.pf === null) return { address: null, state: null };
  const { state } = await reader.function({ host: owned.key.host, address: sriov.pf });
  return { address: sriov.pf, state: state.kind === 'registered' ? state : null };
}

/** The streams of a function and of its PF as they were read: what is decided over both holds while they are there. */
export function guardsOf(
  { function: owned, physicalFunction }: Pick<LayoutGround, 'function' | 'physicalFunction'>,
): readonly Guard[] {
  const stream = functionStream(owned.key);
  const itself = { stream, expectedRevision: StreamRevision.from(owned.revision) };
  if (!physicalFunction || physicalFunction.address === null) return [itself];
  const { address, state } = physicalFunction;
  return [itself, {
    stream: functionStream({ host: owned.key.host, address }),
    expectedRevision: state ? StreamRevision.from(state.revision) : 'no-stream',
  }];
}

/** The wish with its persona read; `undefined` when nobody published that one. */
export async function wishOf({ persona, ...wish }: NamedWish, reader: StreamReader): Promise<LayoutWish | undefined> {
  if (!persona) return { ...wish, persona: null };
  const found = await personaFor(persona, reader);
  return found && { ...wish, persona: found };
}

async function personaFor(
  { name, version }: NonNullable<NamedWish['persona']>, reader: StreamReader,
): Promise<Persona | undefined> {
  const { state } = await reader.persona(name);
  if (state.kind === 'unpublished') return undefined;
  const found = version === null ? state.versions.at(-1) : state.versions.find((one) => one.version === version);
  return found && personaOf(name, found);
}
