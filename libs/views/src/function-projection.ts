import { canonicalJson, Digest, type VerdictReason } from '@cadastre/device-layout';
import { type FunctionKey, isImportEvent, isMigrationEvent, isPasidEvent, isVmEvent } from '@cadastre/lifecycle';
import { type FunctionRow } from './function-row.js';
import { Model, untoldModel } from './model.js';
import { functionKeyOf, type ObservedFunction } from './observed-function.js';
import { type Projection, type RowChange, type RowsBefore, type ToldEvent } from './projection.js';

/** The list of functions. A function has a row from its first observation on. */
export const functionProjection: Projection = {
  name: 'functions',
  reads: [],
  project(told, before) {
    const { event, seen, stream, revision } = told;
    if (isPasidEvent(event) || isMigrationEvent(event) || isVmEvent(event) || isImportEvent(event)) return [];
    switch (event.type) {
      case 'FunctionObserved': case 'HostFactsObserved':
        return seen ? observed(told, seen, dangersDigest(event.dangers), before) : [];
      case 'ObservationConfirmed': case 'SharedCapabilityUsed': case 'SharedCapabilityFreed':
        return [put({ ...known(stream, before), revision })];
      case 'FunctionClaimed': {
        const { vm, device, migration } = event;
        const claim = { vm, device, migration };
        return [put({ ...known(stream, before), revision, claim })];
      }
      case 'FunctionReleased': return [put({ ...known(stream, before), revision, claim: null, dangers: null })];
      case 'FunctionRetired': return [put({ ...known(stream, before), revision, isRetired: true })];
      // The observation that is recorded with it makes the row.
      case 'FunctionRegistered':
      case 'DeviceAttached': case 'LayoutDecided': case 'LayoutConfirmed': case 'LayoutDiverged':
      case 'DeviceMoved': case 'LayoutImported': case 'DeviceDetached': case 'PersonaPublished': return [];
    }
  },
};

/** What a list keeps of dangers: whether there are any, and whether they are others than before. */
export function dangersDigest(dangers: readonly VerdictReason[]): Digest | null {
  return dangers.length === 0 ? null : Digest.of(canonicalJson(dangers));
}

function observed(
  { stream, revision, position }: ToldEvent, seen: ObservedFunction, dangers: FunctionRow['dangers'],
  before: RowsBefore,
): readonly RowChange[] {
  const key = functionKeyOf(stream);
  const row = before.function(key);
  const pf = modelledBy(key, seen);
  const model = modelOf(seen, pf && before.function(pf));
  const changes: RowChange[] = [put({
    key, revision, since: row?.since ?? position, ...seen, model, claim: row?.claim ?? null, dangers,
    isRetired: false,
  })];
  if (seen.pf !== null && seen.pf !== row?.pf) changes.push({ kind: 'member', key, pf: seen.pf });
  if (seen.vfModel === (row?.vfModel ?? null)) return changes;
  const virtual = before.virtualFunctionsOf(key)
    .filter((one) => ownModel(one) === untoldModel && one.key.address !== key.address);
  return [...changes, ...virtual.map((one) => put({ ...one, model: seen.vfModel ?? untoldModel }))];
}

/** A VF's own IDs read ffff:ffff: what it is stands in the SR-IOV capability of its PF, which is not itself. */
export function modelledBy({ host, address }: FunctionKey, seen: ObservedFunction): FunctionKey | undefined {
  if (ownModel(seen) !== untoldModel || seen.pf === null || seen.pf === address) return undefined;
  return { host, address: seen.pf };
}

/** @param pf what is known of the function that `modelledBy` names */
export function modelOf(seen: ObservedFunction, pf: Pick<ObservedFunction, 'vfModel'> | undefined): Model {
  return pf?.vfModel ?? ownModel(seen);
}

export function ownModel({ vendorId, deviceId }: Pick<FunctionRow, 'vendorId' | 'deviceId'>): Model {
  return Model.of(vendorId, deviceId);
}

function known(stream: string, before: RowsBefore): FunctionRow {
  const row = before.function(functionKeyOf(stream));
  if (row) return row;
  throw new Error(`${stream} was never observed`);
}

function put(row: FunctionRow): RowChange {
  return { kind: 'function', row };
}
