import { ok, refuse, type Result } from '@cadastre/config-space';
import {
  type Digest, documentDigest, type LayoutDocument, type Persona, readLayoutDocument, writeLayoutDocument,
} from '@cadastre/device-layout';
import { type Decider } from '../decider.js';
import { type PersonaName } from '../name.js';

/** The facts of stream `persona-<name>`. Frozen: a change of shape is a new schema and an upcast. */
export type PersonaEvent =
  /** The layout as it was published: canonical `cadastre.layout/1`, never changed, only followed by another version. */
  { readonly type: 'PersonaPublished'; readonly schema: 1; readonly name: PersonaName; readonly version: number;
    /** The instance type whose guests find this layout, as the control plane calls it; null where it is of none. */
    readonly instanceType: string | null; readonly layout: string; readonly digest: Digest };

export type PersonaCommand =
  { readonly kind: 'publish-persona'; readonly name: PersonaName; readonly instanceType: string | null;
    readonly layout: LayoutDocument };

export interface PersonaVersion {
  readonly version: number;
  readonly instanceType: string | null;
  readonly layout: string;
  readonly digest: Digest;
}

export type PersonaState =
  | { readonly kind: 'unpublished' }
  | { readonly kind: 'published'; readonly name: PersonaName; readonly revision: number;
      /** Oldest first. */
      readonly versions: readonly PersonaVersion[] };
export type PublishedPersona = Extract<PersonaState, { kind: 'published' }>;

export type PersonaRefusal =
  { readonly kind: 'persona-unchanged'; readonly name: string; readonly version: number; readonly digest: Digest };

/** What may happen to a persona: another version is published. */
export const personaDecider: Decider<PersonaCommand, PersonaState, PersonaEvent, PersonaRefusal> = {
  initial: { kind: 'unpublished' },
  decide: publish,
  evolve(state, { name, version, instanceType, layout, digest }) {
    const before = state.kind === 'published' ? state.versions : [];
    const versions = [...before, { version, instanceType, layout, digest }];
    return { kind: 'published', name, revision: before.length, versions };
  },
};

function publish(
  { name, instanceType, layout }: PersonaCommand, state: PersonaState,
): Result<readonly PersonaEvent[], PersonaRefusal> {
  const digest = documentDigest(layout);
  const newest = state.kind === 'published' ? state.versions.at(-1) : undefined;
  if (newest?.digest === digest && newest.instanceType === instanceType) {
    return refuse({ kind: 'persona-unchanged', name, version: newest.version, digest });
  }
  const version = (newest?.version ?? 0) + 1;
  return ok([{ type: 'PersonaPublished', schema: 1, name, version, instanceType,
    layout: writeLayoutDocument(layout), digest }]);
}

/** A recorded version as a persona. It was a document when it was recorded: anything else throws. */
export function personaOf(name: PersonaName, { version, layout }: PersonaVersion): Persona {
  const read = readLayoutDocument(layout);
  if (!read.ok) throw new Error(`persona ${name}@${version} holds no layout: ${read.refusal.kind}`);
  return { name, version, layout: read.value };
}
