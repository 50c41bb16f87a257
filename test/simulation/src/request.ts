import fc from 'fast-check';
import { devices, hostFacts, looksMax, slots } from './world.js';

export const wishes = ['nothing', 'pasid', 'pasid-pinned', 'pasid-ats-pri'] as const;
export type WishName = (typeof wishes)[number];
export const vmms = ['none', 'generic', 'qemu'] as const;
export type VmmName = (typeof vmms)[number];

/** What a client asks for. Places are numbers into the world, so that anything may meet anything. */
export type Request = { readonly stale: boolean } & (
  | { readonly kind: 'observe'; readonly slot: number; readonly look: number; readonly facts: number }
  | { readonly kind: 'retire'; readonly slot: number }
  | { readonly kind: 'attach'; readonly device: number; readonly slot: number; readonly wish: WishName;
      readonly vmm: VmmName }
  | { readonly kind: 'decide'; readonly device: number; readonly wish: WishName; readonly vmm: VmmName }
  | { readonly kind: 'see'; readonly device: number; readonly shows: 'the-layout' | 'something-else' | 'too-little' }
  | { readonly kind: 'detach'; readonly device: number }
  | { readonly kind: 'enable-pasid'; readonly device: number; readonly width: number | null;
      readonly ssidBits: number; readonly ports: number }
  | { readonly kind: 'attach-pasid'; readonly device: number; readonly pasid: number; readonly ptId: number;
      readonly table: 'ioas' | 'hwpt' | 'hwpt-without-pasid' | 'failed' }
  | { readonly kind: 'detach-pasid'; readonly device: number; readonly pasid: number; readonly failed: boolean }
  | { readonly kind: 'reset-pasids'; readonly device: number; readonly cause: 'unbind' | 'close' | 'reset' }
  | { readonly kind: 'disable-pasid'; readonly device: number }
  | { readonly kind: 'enable-ats'; readonly device: number }
  | { readonly kind: 'disable-ats'; readonly device: number }
  | { readonly kind: 'enable-pri'; readonly device: number }
  | { readonly kind: 'disable-pri'; readonly device: number }
  /** Where each attached device is to go: a number into the slots of its role; `without` leaves the first out. */
  | { readonly kind: 'plan'; readonly vm: string; readonly host: string; readonly to: readonly number[];
      readonly without: boolean }
  /** `back` counts from the newest plan. */
  | { readonly kind: 'advance'; readonly back: number; readonly step: 'prepare' | 'complete' | 'abort' }
);

/** What is asked of one device. */
export type DeviceRequest = Extract<Request, { readonly device: number }>;

const device = fc.nat(devices.length - 1);
/** VFs more often: it takes two of them to see who is the first and who the last. */
const slot = fc.constantFrom(...slots.flatMap(({ role }, index) => (role === 'vf' ? [index, index, index] : [index])));
const wish = fc.constantFrom<WishName>('pasid', 'pasid', 'pasid-ats-pri', 'pasid-pinned', 'nothing');
const vmm = fc.constantFrom(...vmms);
const stale = fc.integer({ min: 0, max: 24 }).map((one) => one === 24);
const pasid = fc.constantFrom(0, 1, 2, 3, 255, 256, 65_535, 65_536);

type Parts<Kind extends Request['kind']> = { readonly [Key in Exclude<keyof Extract<Request, { kind: Kind }>,
'kind' | 'stale'>]: fc.Arbitrary<Extract<Request, { kind: Kind }>[Key]> };

function some<Kind extends Request['kind']>(
  weight: number, kind: Kind, parts: Parts<Kind>,
): { readonly weight: number; readonly arbitrary: fc.Arbitrary<Request> } {
  const arbitrary: fc.Arbitrary<unknown> = fc.record({ kind: fc.constant(kind), stale, ...parts });
  return { weight, arbitrary: arbitrary as fc.Arbitrary<Request> };
}

/** What happens in the life of a fleet, as often as it leads somewhere. */
export const anyRequest: fc.Arbitrary<Request> = fc.oneof(
  some(8, 'observe', { slot, look: fc.nat(looksMax - 1), facts: fc.nat(hostFacts.length - 1) }),
  // Many looks at a fleet see the bytes it has always had.
  some(6, 'observe', { slot, look: fc.constant(0), facts: fc.nat(hostFacts.length - 1) }),
  some(4, 'retire', { slot }),
  some(20, 'attach', { device, slot, wish, vmm }),
  some(4, 'decide', { device, wish, vmm }),
  some(5, 'see', {
    device, shows: fc.constantFrom('the-layout', 'the-layout', 'something-else', 'too-little') }),
  some(6, 'detach', { device }),
  some(14, 'enable-pasid', {
    device, width: fc.constantFrom(null, null, 8, 8, 17), ssidBits: fc.constantFrom(16, 16, 16, 16, 8),
    ports: fc.constantFrom(1, 1, 1, 1, 0) }),
  some(14, 'attach-pasid', {
    device, pasid, ptId: fc.nat(5), table: fc.constantFrom('ioas', 'ioas', 'hwpt', 'hwpt-without-pasid', 'failed') }),
  some(6, 'detach-pasid', { device, pasid, failed: fc.constantFrom(false, false, true) }),
  some(4, 'reset-pasids', { device, cause: fc.constantFrom('unbind', 'close', 'reset') }),
  some(6, 'disable-pasid', { device }), some(5, 'disable-ats', { device }), some(7, 'disable-pri', { device }),
  some(8, 'enable-ats', { device }), some(8, 'enable-pri', { device }),
  some(12, 'plan', {
    vm: fc.constantFrom('vm-1', 'vm-1', 'vm-2', 'vm-3'), host: fc.constantFrom('host-a', 'host-b', 'host-b'),
    to: fc.tuple(fc.nat(1), fc.nat(1)),
    without: fc.integer({ min: 0, max: 9 }).map((one) => one === 9),
  }),
  some(32, 'advance', {
    back: fc.constantFrom(0, 0, 0, 1, 2),
    step: fc.constantFrom('prepare', 'prepare', 'prepare', 'complete', 'complete', 'complete', 'abort') }),
);
