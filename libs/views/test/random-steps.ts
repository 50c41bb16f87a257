import fc from 'fast-check';
import { deviceKey, functionKey, type Kind, qemu, type TestLog, vfOf, virtualKind } from '../src/testing.js';

// A small world: two hosts with a PF, a VF and a function each, a few kinds of card, so that things collide.
const pfAddress = '0000:3b:00.0';
const addresses = [pfAddress, '0000:3b:00.1', '0000:3c:00.0', '0000:3c:00.1'];
const kinds: readonly Kind[] = [
  { deviceId: 0x1041, serial: 1 }, { deviceId: 0x1041, serial: 2, vfDeviceId: 0x154c },
  { deviceId: 0x1042, msix: true }, { deviceId: 0x1042, vfDeviceId: 0x154d }, virtualKind,
  { deviceId: 0x1041, serial: 1, pasidBits: 0 },
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
  anyFunction.map((key): Step => (log) => log.retire(key)),
);

/** `size: 'max'`, since fast-check would otherwise try histories of a few steps only. */
export const anyHistory = fc.array(anyStep, { minLength: 5, maxLength: 60, size: 'max' });

export const seed = Number(process.env['CADASTRE_SEED'] ?? Date.now() % 2 ** 31);
