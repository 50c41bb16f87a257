import { type ConfigSpace, findCapability, readHeader, survey } from '@cadastre/config-space';
import { canonicalJson, Digest, Evidence, type FurtherCapture } from '@cadastre/device-layout';
import {
  type DeviceState, deviceDecider, deviceStream, functionDecider, type FunctionKey, type FunctionState, functionStream,
  isDeviceEvent, isFunctionEvent, isMigrationEvent, migrationDecider, type MigrationState, Observation,
} from '@cadastre/lifecycle';
import { CapabilityName, type DeviceRow, type FunctionRow, type MigrationRow, Model } from '../src/index.js';
import { type TestLog } from '../src/testing.js';

export interface FoldedRows {
  readonly functions: readonly Omit<FunctionRow, 'since' | 'vfModel' | 'serialNumber' | 'structure'>[];
  readonly devices: readonly DeviceRow[];
  readonly migrations: readonly MigrationRow[];
  /** Where in the log a device came to a VF whose PF nobody had registered. */
  readonly withoutPf: readonly number[];
}

/** The rows as the deciders' own states tell them: slowly, and by none of the code of the projections. */
export async function rowsByFolding(log: TestLog): Promise<FoldedRows> {
  const functions = new Map<string, FunctionState>();
  const devices = new Map<string, FoldedDevice>();
  const migrations = new Map<string, { readonly state: MigrationState; readonly since: number }>();
  const withoutPf: number[] = [];
  for (const [position, { stream, event }] of (await log.events()).entries()) {
    if (isFunctionEvent(event)) {
      functions.set(stream, functionDecider.evolve(functions.get(stream) ?? functionDecider.initial, event));
    } else if (isDeviceEvent(event)) {
      const before = devices.get(stream) ?? { state: deviceDecider.initial, model: null, since: position };
      const state = deviceDecider.evolve(before.state, event);
      const came = state.kind === 'attached' && (before.state.kind !== 'attached'
        || functionStream(before.state.function) !== functionStream(state.function)) ? state.function : null;
      const pf = came && factsOf(came, functions)?.sriov.pf;
      if (came && pf && !factsOf({ host: came.host, address: pf }, functions)) withoutPf.push(position);
      const isDecided = event.type === 'LayoutDecided' && state.kind === 'attached';
      devices.set(stream, { ...before, state, model: isDecided ? modelOf(state.function, functions) : before.model });
    } else if (isMigrationEvent(event)) {
      const before = migrations.get(stream) ?? { state: migrationDecider.initial, since: position };
      migrations.set(stream, { ...before, state: migrationDecider.evolve(before.state, event) });
    }
  }
  return {
    functions: inOrder(functions).flatMap((state) => functionRow(state, functions)),
    devices: inOrder(devices).flatMap(deviceRow),
    migrations: [...migrations.values()].flatMap(({ state, since }) => (state.kind === 'unknown' ? []
      : [{ key: state.key, revision: state.revision, since, state: state.kind, host: state.host,
        devices: state.moves.length }])),
    withoutPf,
  };
}

/** The evidence on each model, from all captures of it at once. */
export async function evidenceByFolding(log: TestLog): Promise<ReadonlyMap<string, Evidence>> {
  const captures = new Map<string, FurtherCapture[]>();
  const revisions = new Map<string, number>();
  const bytes = new Map<string, ConfigSpace>();
  for (const { stream, event } of await log.events()) {
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    if (event.type !== 'FunctionObserved' && event.type !== 'HostFactsObserved') continue;
    const space = event.type === 'FunctionObserved' ? Observation.configSpace(event) : bytes.get(stream);
    if (!space) throw new Error(`${stream} has host facts and no bytes`);
    bytes.set(stream, space);
    const { role } = event.sriov;
    const [vendorId, deviceId] = space.u16(0) === 0xffff ? [space.u16(0x2c), space.u16(0x2e)]
      : [space.u16(0), space.u16(2)];
    const model = `${Model.of(vendorId, deviceId)} ${role}`;
    const capture = { source: `${stream}@${revision}`, survey: survey(space, role) };
    captures.set(model, [...captures.get(model) ?? [], capture]);
  }
  return new Map([...captures].map(([model, of]) => [model, Evidence.of(of)]));
}

interface FoldedDevice {
  readonly state: DeviceState;
  /** Of the function when the newest layout was decided. */
  readonly model: Model | null;
  readonly since: number;
}

function inOrder<Value>(map: ReadonlyMap<string, Value>): readonly Value[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function factsOf(key: FunctionKey, functions: ReadonlyMap<string, FunctionState>): Observation | undefined {
  const state = functions.get(functionStream(key));
  return state?.kind === 'registered' ? state.observation?.facts : undefined;
}

function modelOf(key: FunctionKey, functions: ReadonlyMap<string, FunctionState>): Model | null {
  const facts = factsOf(key, functions);
  if (!facts) return null;
  const { vendorId, deviceId } = readHeader(Observation.configSpace(facts));
  const { pf: stated } = facts.sriov;
  if (vendorId !== 0xffff || stated === null || stated === key.address) return Model.of(vendorId, deviceId);
  const pf = factsOf({ host: key.host, address: stated }, functions);
  const space = pf && Observation.configSpace(pf);
  const sriov = space && findCapability(survey(space), 'extended', 0x10);
  return sriov ? Model.of(space.u16(0), space.u16(sriov.offset + 0x1a)) : Model.of(vendorId, deviceId);
}

function functionRow(state: FunctionState, functions: ReadonlyMap<string, FunctionState>): FoldedRows['functions'] {
  if (state.kind === 'unregistered' || !state.observation) return [];
  const { key, revision, claim, running, retired, observation: { facts } } = state;
  const { header: { vendorId, deviceId, classCode }, capabilities } = survey(Observation.configSpace(facts));
  const names = CapabilityName.setOf(capabilities.map(({ space, id }) => CapabilityName.of(space, id)));
  const model = modelOf(key, functions);
  if (!model) throw new Error(`${functionStream(key)} has a row and no model`);
  return [{
    key, revision, vendorId, deviceId, classCode, ...facts.sriov, model, capabilities: names, claim,
    dangers: running && running.dangers.length > 0 ? Digest.of(canonicalJson(running.dangers)) : null,
    isRetired: retired !== null,
  }];
}

function deviceRow({ state, model, since }: FoldedDevice): FoldedRows['devices'] {
  switch (state.kind) {
    case 'unknown': return [];
    case 'detached': {
      const { key, revision } = state;
      return [{
        key, revision, since, state: 'detached', function: null, model: null, capabilities: [], layoutDigest: null,
        vmm: null, verdict: null,
      }];
    }
    case 'attached': {
      const { key, revision, layout } = state;
      if (!layout) throw new Error(`${deviceStream(key)} is attached without a layout`);
      const names = CapabilityName.setOf([
        ...layout.standardList.map(({ id }) => CapabilityName.of('standard', id)),
        ...layout.extendedList.filter(({ id }) => id !== 0).map(({ id }) => CapabilityName.of('extended', id)),
      ]);
      return [{
        key, revision, since, state: 'attached', function: state.function, model, capabilities: names,
        layoutDigest: layout.layoutDigest, vmm: layout.vmm?.vmm.name ?? null, verdict: layout.vmm?.verdict ?? null,
      }];
    }
  }
}
