import { type ConfigSpace, Pasid } from '@cadastre/config-space';
import { canonicalJson, Digest } from '@cadastre/device-layout';
import { fold } from './decider.js';
import { type AttachedDevice, deviceDecider } from './device/device-decider.js';
import { type PageTable } from './device/pasids/page-table.js';
import {
  decodeEvent, decodeForFold, encodeEvent, type Envelope, eventTypes, isDeviceEvent, isFunctionEvent, isImportEvent,
  isMigrationEvent, isPersonaEvent, isVmEvent, type LedgerEvent, UnreadableEvent,
} from './event-codec.js';
import { typesOfBareEvents } from './for-fold.js';
import { Observation } from './function/observation.js';
import { ImportId, MigrationId, PersonaName } from './name.js';
import { deviceKey, functionKey, given, guestOf, observation, qemu11, sure, wish } from './testing.js';

const envelope: Envelope = {
  idempotencyKey: 'k-1', requestDigest: Digest.of('request'), recordedAt: '2026-11-23T17:00:00.000Z',
};
const by = deviceKey();
const seen = observation();
const registered = {
  kind: 'registered', key: functionKey(), revision: 1, claim: null, running: null,
  observation: { facts: seen, revision: 1, configSpaceRevision: 1 }, users: { pasid: [], pri: [] }, retired: null,
} as const;
const attached = sure(given(deviceDecider).when({
  kind: 'attach-device', key: by, hotPlugOrder: 1, wish: wish({ vmm: qemu11 }),
  ground: { function: registered, physicalFunction: null, evidence: null },
}));
const read = (space: ConfigSpace): readonly LedgerEvent[] =>
  sure(given(deviceDecider, ...attached).when({ kind: 'observe-guest', key: by, observed: seen, seen: space }));

const { layout: decided } = fold(deviceDecider, attached) as AttachedDevice;
if (!decided) throw new Error('an attached device has a layout');

const pasid = sure(Pasid.from(7));
const table: PageTable = {
  requested: { kind: 'ioas', ptId: 3 }, resultingPtId: 4, hwptFlags: ['pasid', 'fault-id-valid'], faultId: 5,
};

const migration = sure(MigrationId.from('m-1'));

const every: readonly LedgerEvent[] = [
  { type: 'FunctionRegistered', schema: 1, ...functionKey() },
  { type: 'FunctionObserved', schema: 1, holder: { ...by, revision: 1 }, dangers: [], ...seen },
  {
    type: 'HostFactsObserved', schema: 1, holder: null, dangers: [], configSpaceDigest: seen.configSpaceDigest,
    configSpaceRevision: 1, kernel: seen.kernel, firmware: '2.1', iommu: seen.iommu, sriov: seen.sriov,
  },
  { type: 'ObservationConfirmed', schema: 1, configSpaceDigest: seen.configSpaceDigest },
  { type: 'FunctionClaimed', schema: 1, ...by, migration: null },
  { type: 'FunctionReleased', schema: 1, ...by },
  { type: 'FunctionRetired', schema: 1, reason: 'card removed' },
  { type: 'SharedCapabilityUsed', schema: 1, capability: 'pasid', ...by, users: 1, first: true },
  { type: 'SharedCapabilityFreed', schema: 1, capability: 'pasid', ...by, users: 0, last: true },
  ...attached,
  ...read(Observation.configSpace(seen)),
  ...read(guestOf(attached, seen)),
  {
    type: 'PasidEnabled', schema: 1, widthBits: 8, exec: false, priv: true, physicalFunction: functionKey(),
    platform: { viommuSsidBits: 16, ports: [{ address: functionKey().address, endEndTlpPrefix: true }] },
    checks: [{ check: 'capability-visible', ok: true, offset: 0x134, toldBy: 'layout', revision: null }],
  },
  { type: 'PasidAttached', schema: 1, pasid, ...table },
  { type: 'PasidReplaced', schema: 1, pasid, ...table, replaced: table },
  { type: 'PasidDetached', schema: 1, pasid, was: table },
  { type: 'PasidOperationFailed', schema: 1, operation: 'detach', pasid, requested: null, errno: 'ENODEV' },
  { type: 'PasidsDetached', schema: 1, cause: 'reset', count: 3 },
  { type: 'PasidDisabled', schema: 1 },
  { type: 'AtsEnabled', schema: 1, by: 'iommu-driver' },
  { type: 'PriEnabled', schema: 1, by: 'iommu-driver', physicalFunction: null },
  { type: 'PriDisabled', schema: 1, by: 'iommu-driver' },
  { type: 'AtsDisabled', schema: 1, by: 'iommu-driver' },
  { type: 'DeviceMoved', schema: 1, from: functionKey(), to: functionKey('0000:3b:00.2', 'host-b'), migration },
  { type: 'DeviceDetached', schema: 1, function: functionKey(), reason: null },
  { type: 'MigrationPlanned', schema: 1, vm: by.vm, id: migration, host: functionKey().host, vmm: qemu11, moves: [] },
  { type: 'MigrationPrepared', schema: 1 },
  { type: 'MigrationCompleted', schema: 1 },
  { type: 'MigrationAborted', schema: 1, reason: 'the host went down' },
  ...sure(given(deviceDecider).when({
    kind: 'import-device', key: by, move: null,
    imported: {
      bundle: Digest.of('bundle'),
      source: { stream: 'device-vm-1/gpu0', revision: 4, position: 9, function: functionKey() },
      layout: decided, observed: seen, hotPlugOrder: null, plugins: [], isFound: true,
    },
  })),
  { type: 'BundleImported', schema: 1, vm: by.vm, id: sure(ImportId.from('i-1')), format: 'cadastre.bundle/1',
    bundle: Digest.of('bundle'), position: 9, events: 5, layouts: 1, devices: [] },
  { type: 'VmHeld', schema: 1, vm: by.vm, migration },
  { type: 'VmReleased', schema: 1, vm: by.vm, migration },
  { type: 'PersonaPublished', schema: 1, name: sure(PersonaName.from('nic-v1')), version: 1,
    instanceType: 'gpu.large', layout: '{}',
    digest: Digest.of('{}') },
];

describe('the event codec', () => {
  it.each(every.map((event) => [event.type, event] as const))('reads %s as it was written', (_type, event) => {
    expect(decodeEvent(encodeEvent({ event, envelope }))).toEqual({ event, envelope });
  });

  it.each(every.map((event) => [event.type, event] as const))('reads %s for a fold', (type, event) => {
    const bare: readonly string[] = typesOfBareEvents;
    const told = bare.includes(type) ? { type, schema: event.schema } : event;
    expect(decodeForFold(type, encodeEvent({ event, envelope }))).toEqual(told);
  });

  it('reads a bare event for a fold only if its text is one', () => {
    const event = { type: 'FunctionReleased', schema: 1, ...by } as const;
    const written = encodeEvent({ event, envelope });
    const later = written.replace('"schema":1', '"schema":2');
    expect(() => decodeForFold('FunctionReleased', later)).toThrow(UnreadableEvent);
    expect(decodeForFold('VmReleased', written)).toEqual(event);
  });

  it('finds where the data ends, whatever its texts and the key of the command look like', () => {
    const odd = [
      ',"idempotencyKey":"', '","idempotencyKey":"x","recordedAt":"', '\\",', ',"schema":1,"type":"FunctionRetired"}',
    ];
    for (const [reason, idempotencyKey] of odd.flatMap((one) => odd.map((other) => [one, other] as const))) {
      const event = { type: 'FunctionRetired', schema: 1, reason } as const;
      const written = encodeEvent({ event, envelope: { ...envelope, idempotencyKey } });
      expect(decodeForFold('FunctionRetired', written)).toEqual(event);
    }
  });

  it('reads what does not look as it is written now by the long way', () => {
    expect(decodeForFold('FunctionRetired', '{"data":{"reason":null},"schema":1,"type":"FunctionRetired"}'))
      .toEqual({ type: 'FunctionRetired', schema: 1, reason: null });
    // The text counts, not what the record says of it.
    const written = encodeEvent({ event: { type: 'FunctionRetired', schema: 1, reason: null }, envelope });
    expect(decodeForFold('FunctionReleased', written)).toMatchObject({ type: 'FunctionRetired' });
    const later = written.replace('"schema":1', '"schema":2');
    expect(() => decodeForFold('FunctionRetired', later)).toThrow(UnreadableEvent);
    expect(() => decodeForFold('PluginEnabled', written.replace('FunctionRetired', 'PluginEnabled')))
      .toThrow('this version knows no such event');
  });

  it.each(every.map((event) => [event.type, event] as const))('writes %s in canonical JSON', (_type, event) => {
    const written = encodeEvent({ event, envelope });
    expect(canonicalJson(JSON.parse(written))).toBe(written);
  });

  it('writes one shape, for ever', () => {
    expect(encodeEvent({ event: { type: 'FunctionReleased', schema: 1, ...by }, envelope })).toBe(
      '{"data":{"device":"gpu0","vm":"vm-1"},"idempotencyKey":"k-1","recordedAt":"2026-11-23T17:00:00.000Z",'
      + `"requestDigest":"${envelope.requestDigest}","schema":1,"type":"FunctionReleased"}`,
    );
  });

  it('stops by name at a type it does not know', () => {
    const stored = '{"data":{},"schema":1,"type":"PluginEnabled"}';
    expect(() => decodeEvent(stored)).toThrow(UnreadableEvent);
    expect(() => decodeEvent(stored)).toThrow('event PluginEnabled schema 1: this version knows no such event');
  });

  it('stops by name at a schema it does not know', () => {
    const stored = '{"data":{},"schema":2,"type":"FunctionClaimed"}';
    expect(() => decodeEvent(stored)).toThrow('event FunctionClaimed schema 2: this version reads schema 1');
  });

  it('is held to every type there is', () => {
    expect([...new Set(every.map(({ type }) => type))].sort()).toEqual([...eventTypes].sort());
  });

  it('does not take a name of Object.prototype for a type', () => {
    expect(() => decodeEvent('{"data":{},"schema":1,"type":"constructor"}')).toThrow(UnreadableEvent);
  });

  it('knows of every event which stream it belongs to', () => {
    const kinds = [isFunctionEvent, isDeviceEvent, isMigrationEvent, isPersonaEvent, isVmEvent, isImportEvent];
    for (const event of every) expect(kinds.filter((isOne) => isOne(event))).toHaveLength(1);
    expect(every.filter(isDeviceEvent).map(({ type }) => type)).toEqual([
      'DeviceAttached', 'LayoutDecided', 'LayoutDiverged', 'LayoutConfirmed', 'PasidEnabled', 'PasidAttached',
      'PasidReplaced', 'PasidDetached', 'PasidOperationFailed', 'PasidsDetached', 'PasidDisabled', 'AtsEnabled',
      'PriEnabled', 'PriDisabled', 'AtsDisabled', 'DeviceMoved', 'DeviceDetached', 'LayoutImported',
    ]);
  });
});
