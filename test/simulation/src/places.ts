import { type ModelDevice, slotNamed } from './model.js';
import { type VmmName, type WishName } from './request.js';
import { type Look } from './world.js';

const wanted: Readonly<Record<WishName, readonly string[]>> = {
  'nothing': [], 'pasid': ['pasid'], 'pasid-pinned': ['pasid'], 'pasid-ats-pri': ['pasid', 'ats', 'pri'],
};

/** Where the wish `pasid-pinned` wants it. */
export const pinnedAt = 0x400;

export function sizeOf(name: string): number {
  return name === 'pri' ? 16 : 8;
}

/** What a wish shows, and where it has to be; null where the planner is free. */
export function placesMeant(device: ModelDevice, look: Look, wish: WishName): ReadonlyMap<string, number | null> {
  const kept = keptPlaces(device, look, wish);
  return new Map(wanted[wish].map((name) =>
    [name, wish === 'pasid-pinned' ? pinnedAt : kept.get(name) ?? null]));
}

/** Places of earlier layouts on such a card: kept, unless they are pinned elsewhere now. */
export function keptPlaces({ before }: ModelDevice, look: Look, wish: WishName): ReadonlyMap<string, number> {
  if (before.card !== look.card) return new Map();
  return new Map([...before.places].filter(([name, at]) =>
    wish !== 'pasid-pinned' || name !== 'pasid' || at === pinnedAt));
}

/** QEMU makes a second PASID where the hardware of a PF lists one: a PF gets the VMM that obeys instead. */
export function vmmIn(slot: string, vmm: VmmName): VmmName {
  return vmm === 'qemu' && slot !== '' && slotNamed(slot).role === 'pf' ? 'generic' : vmm;
}

/** A guest finds what was placed; and that of a PF's hardware, where its VMM shows that or it was seen to be so. */
export function findsPasid({ places, look: { card }, vmm, guest }: ModelDevice): boolean {
  return places.has('pasid') || (card === 'pf' && (vmm === 'generic' || guest !== 'unseen'));
}
