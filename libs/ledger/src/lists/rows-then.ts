import { Position } from '@cadastre/event-store';
import { type FunctionKey, type ObservationReference, type RegisteredFunction } from '@cadastre/lifecycle';
import {
  dangersDigest, type DeviceRow, deviceRowOf, type FunctionRow, type MigrationRow, migrationRowOf, Model, modelledBy,
  modelOf, type ObservedFunction, observedFunction, untoldModel,
} from '@cadastre/views';
import { type StreamReader } from '../stream-reader.js';

type Told = Pick<RegisteredFunction, 'revision' | 'claim' | 'running' | 'retired'>
  & { readonly seen: ObservedFunction };

/** The row a function had at a position; undefined when it had none. */
export async function functionThen(
  { key, since }: Pick<FunctionRow, 'key' | 'since'>, at: Position, reader: StreamReader,
): Promise<FunctionRow | undefined> {
  if (since > at) return undefined;
  // Registered again, it has the row it had before until it is observed again.
  const told = await toldOf(key, at, reader) ?? await toldOf(key, Position.from(at - 1), reader);
  if (!told) throw new Error(`the row of ${key.host}/${key.address} begins at ${since}, its observations later`);
  const { seen, revision, claim, running, retired } = told;
  const pf = modelledBy(key, seen);
  const model = modelOf(seen, pf && (await toldOf(pf, at, reader))?.seen);
  const dangers = dangersDigest(running?.dangers ?? []);
  return { key, revision, since, ...seen, model, claim, dangers, isRetired: retired !== null };
}

async function toldOf(key: FunctionKey, at: Position, reader: StreamReader): Promise<Told | undefined> {
  const { state } = await reader.function(key, { position: at });
  if (state.kind === 'unregistered' || !state.observation) return undefined;
  const { revision, claim, running, retired, observation: { facts } } = state;
  return { revision, claim, running, retired, seen: observedFunction(facts) };
}

/** The row a device had at a position; undefined when it had none. */
export async function deviceThen(
  { key, since }: Pick<DeviceRow, 'key' | 'since'>, at: Position, reader: StreamReader,
): Promise<DeviceRow | undefined> {
  const { state } = await reader.device(key, { position: at });
  if (state.kind === 'unknown') return undefined;
  if (state.kind === 'detached' || !state.layout) return deviceRowOf(state, since, null);
  const { identity: { vendorId, deviceId }, physicalFunction } = state.layout;
  const own = Model.of(vendorId, deviceId);
  const told = own === untoldModel && physicalFunction ? await modelToldBy(physicalFunction, reader) : null;
  return deviceRowOf(state, since, told ?? own);
}

/** What a PF said its VFs are when it was consulted for a layout. */
async function modelToldBy(physicalFunction: ObservationReference, reader: StreamReader): Promise<Model | null> {
  return observedFunction(await reader.observation(physicalFunction)).vfModel;
}

/** The row a migration had at a position; undefined when it had none. */
export async function migrationThen(
  { key, since }: Pick<MigrationRow, 'key' | 'since'>, at: Position, reader: StreamReader,
): Promise<MigrationRow | undefined> {
  const { state } = await reader.migration(key, { position: at });
  return state.kind === 'unknown' ? undefined : migrationRowOf(state, since);
}
