import fc from 'fast-check';
import { Bdf, Pasid } from '@cadastre/config-space';
import { type DeviceKey, HostName, MigrationId, type PasidCommand, VmId } from '@cadastre/lifecycle';
import {
  deviceKey, endpoint, functionKey, type Kind, observationOf, qemu, sure, type TestLog, vfOf, virtualKind,
} from '../src/testing.js';

// A small world: two hosts with a PF, a VF and a function each, a few kinds of card, so that things collide.
const pfAddress = '0000:3b:00.0';
const addresses = [pfAddress, '0000:3b:00.1', '0000:3c:00.0', '0000:3c:00.1'];
const kinds: readonly Kind[] = [
  { deviceId: 0x1041, serial: 1 }, { deviceId: 0x1041, serial: 2, vfDeviceId: 0x154c },
  { deviceId: 0x1042, msix: true }, { deviceId: 0x1042, vfDeviceId: 0x154d }, virtualKind,
  { deviceId: 0x1041, serial: 1, pasidBits: 0 }, { deviceId: 0x1041, strayAt: 0x154 },
];
const families = [
  { role: 'none', pf: null }, { role: 'pf', pf: null }, vfOf(pfAddress), { role: 'vf', pf: null },
] as const;

const anyFunction = fc.record({
  address: fc.constantFrom(...addresses), host: fc.constantFrom('host-a', 'host-b'),
}).map(({ address, host }) => functionKey(address, host));
// Names that begin alike: a page must end where the name does.
const anyDevice = fc.record({
  vm: fc.constantFrom('vm', 'vm-1', 'vm.1', 'vm0'), device: fc.constantFrom('a', 'b'),
}).map(({ vm, device }) => deviceKey(vm, device));

const port = { address: sure(Bdf.from('0000:00:01.0')), endEndTlpPrefix: true };
const seven = sure(Pasid.from(7));
const enablePasid = (key: DeviceKey): PasidCommand => ({
  kind: 'enable-pasid', key, request: { widthBits: 8, exec: null, priv: null }, physicalFunction: null,
  seen: { own: observationOf({ deviceId: 0x1041 }), physicalFunction: null },
  platform: { viommuSsidBits: 20, ports: [port] },
  visible: { pasid: { offset: 0x134, widthBits: 16, exec: false, priv: false }, toldBy: 'layout', revision: null },
});
const pasidChanges: readonly ((key: DeviceKey) => PasidCommand)[] = [
  (key) => ({
    kind: 'attach-pasid', key, pasid: seven, requested: { kind: 'ioas', ptId: 1 },
    answer: { kind: 'done', resultingPtId: 2, hwptFlags: ['pasid'], faultId: null },
  }),
  (key) => ({ kind: 'detach-pasid', key, pasid: seven, answer: { kind: 'failed', errno: 'EBUSY' } }),
  (key) => ({ kind: 'reset-pasids', key, cause: 'reset' }),
  (key) => ({ kind: 'enable-ats', key }),
];

/** One thing that happens to a log. What the ledger would refuse changes nothing. */
export type Step = (log: TestLog) => Promise<void>;

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({
    key: anyFunction, kind: fc.constantFrom(...kinds), family: fc.constantFrom(...families),
  }).map(({ key, kind, family }): Step => (log) => log.observe(key, kind, family)) },
  { weight: 3, arbitrary: fc.record({
    key: anyDevice, of: anyFunction, pasid: fc.boolean(), vmm: fc.constantFrom(null, qemu),
  }).map(({ key, of, pasid, vmm }): Step => (log) => log.attach(key, of, pasid, vmm)) },
  anyDevice.map((key): Step => (log) => log.detach(key)),
  { weight: 2, arbitrary: fc.record({ key: anyDevice, to: anyFunction })
    .map(({ key, to }): Step => (log) => log.move(key, to)) },
  { weight: 2, arbitrary: fc.record({ key: anyDevice, of: anyDevice, onto: fc.option(anyFunction) })
    .map(({ key, of, onto }): Step => (log) => log.bring(key, of, onto)) },
  fc.record({ key: anyDevice, pasid: fc.boolean(), vmm: fc.constantFrom(null, qemu) })
    .map(({ key, pasid, vmm }): Step => (log) => log.decide(key, pasid, vmm)),
  fc.record({ key: anyDevice, kind: fc.option(fc.constantFrom(...kinds)) })
    .map(({ key, kind }): Step => (log) => log.observeGuest(key, kind && endpoint(kind))),
  { weight: 2, arbitrary: fc.record({ key: anyDevice, change: fc.constantFrom(...pasidChanges) })
    .map(({ key, change }): Step => async (log) => {
      await log.pasids(key, enablePasid);
      await log.pasids(key, change);
    }) },
  fc.record({
    vm: fc.constantFrom('vm', 'vm-1'), id: fc.constantFrom('m-1', 'm-2'), host: fc.constantFrom('host-a', 'host-b'),
    steps: fc.subarray(['plan', 'prepare', 'complete', 'abort'] as const, { minLength: 1 }),
  }).map(({ vm, id, host, steps }): Step => async (log) => {
    const key = { vm: sure(VmId.from(vm)), id: sure(MigrationId.from(id)) };
    for (const step of steps) await log.migrate(key, step, sure(HostName.from(host)));
  }),
  anyFunction.map((key): Step => (log) => log.retire(key)),
);

/** `size: 'max'`, since fast-check would otherwise try histories of a few steps only. */
export const anyHistory = fc.array(anyStep, { minLength: 5, maxLength: 60, size: 'max' });

export const seed = Number(process.env['CADASTRE_SEED'] ?? Date.now() % 2 ** 31);
