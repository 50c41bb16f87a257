import {
  ByteRange, type CapabilitySpace, type ConfigSpace, type LinkedCapability, type Survey,
} from '@cadastre/config-space';
import {
  type Confidence, type GuestPrediction, identitySettings, type RuleName, type UnmetPlacement,
} from '@cadastre/vmm-profiles';
import { hexOf, unlikeRuns } from './compare-layouts.js';
import { type LayoutCapability, type LayoutDocument, type LayoutRange } from './layout-document.js';

/** Something of the layout that the guest will not find as it was decided, and what it finds instead. */
export interface Unmet {
  readonly kind: 'not-made' | 'not-shown' | 'bytes-differ' | 'shown-unasked' | 'order-differs'
    | 'operation-not-obeyed' | 'hardware-not-told' | 'not-known' | 'does-not-start';
  readonly offset: number | null;
  /** Where the guest finds the capability instead; null where it finds none. */
  readonly insteadOffset: number | null;
  readonly rule: RuleName | null;
  readonly confidence: Confidence;
  readonly says: string;
}

/** What a layout is held against. */
export interface Shown {
  readonly seen: GuestPrediction;
  readonly layout: LayoutDocument;
  /** What makes the VMM obey, by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** What settings cannot bring about. */
  readonly told: readonly UnmetPlacement[];
  readonly physical: Survey;
  /** Whether `physical` is a function somebody showed, or what the document lets guess. */
  readonly isHardwareKnown: boolean;
}

/**
 * Everything in which the guest's view is not the layout: its lists, and byte for byte what the layout decides. Bytes
 * that the layout leaves as the hardware has them are the kernel's and the VMM's to show.
 */
export function unmetBy(shown: Shown): readonly Unmet[] {
  const { outcome, space, profile } = shown.seen;
  if (outcome.kind !== 'starts') {
    const { rule, confidence, says } = outcome;
    return [{ kind: 'does-not-start', offset: null, insteadOffset: null, rule, confidence, says }];
  }
  if (!space) throw new Error(`${profile.name} starts and shows nothing`);
  const placed = shown.layout.capabilities.filter(isPlaced);
  const unmet = placed.flatMap((one) => unmetPlacement(one, shown, space));
  const isTold = ({ offset }: Unmet): boolean => unmet.some(({ insteadOffset }) => insteadOffset === offset);
  const lists = (['standard', 'extended'] as const).flatMap((list) =>
    [...notShown(list, shown), ...shownUnasked(list, shown).filter((one) => !isTold(one)), ...orderOf(list, shown)]);
  return [...unmet, ...lists, ...unmetBytes(shown, space, placed), ...notTold(shown), ...notKnown(shown, unmet)];
}

/** Whether the layout brings its own bytes for a capability: made, or over one of the hardware. */
function isPlaced({ origin, backing }: LayoutCapability): boolean {
  return origin === 'synthetic' || origin === 'persona' || (origin === 'physical' && backing.kind === 'emulated');
}

function unmetPlacement(placement: LayoutCapability, shown: Shown, space: ConfigSpace): readonly Unmet[] {
  const { name, offset, id } = placement;
  const { seen, told, layout } = shown;
  const list = seen.chain[placement.space];
  if (!list.some((one) => one.offset === offset && one.id === id)) {
    const why = told.find(({ wanted }) => wanted.space === placement.space && wanted.id === id
      && wanted.offset === offset);
    const refused = seen.findings.find(({ kind }) => id === 0x1b && kind === 'pasid-not-made');
    const because = why ?? refused;
    return [{ kind: 'not-made', offset, insteadOffset: why?.insteadOffset ?? elsewhere(placement, list),
      rule: because?.rule ?? null, confidence: because?.confidence ?? 'V',
      says: `${name}: ${because?.says ?? 'the guest does not find it there'}` }];
  }
  return unlikeRuns(placement, (at) => isTheGuests(placement, at) || space.u8(at) === layout.space.u8(at))
    .map((run) => differing('bytes-differ', name, run, shown, space));
}

function differing(
  kind: Unmet['kind'], what: string, { offset, length }: ByteRange, { seen, layout }: Shown, space: ConfigSpace,
): Unmet {
  const told = `${what}: ${hexOf(offset, length, (at) => space.u8(at))} instead of `
    + hexOf(offset, length, (at) => layout.space.u8(at));
  return { kind, offset, insteadOffset: null, ...ruleAt(offset, seen), says: told };
}

/** Only a capability whose ID is its own can be found again. */
function elsewhere({ space, id }: LayoutCapability, chain: readonly LinkedCapability[]): number | null {
  if (sharedIds[space].includes(id)) return null;
  return chain.find((one) => one.id === id)?.offset ?? null;
}

/** IDs under which vendors put what they like: VNDR and DVSEC. */
const sharedIds: Readonly<Record<CapabilitySpace, readonly number[]>> = {
  standard: [0x09], extended: [0x000b, 0x0023],
};

/** Next pointers belong to the list, and a guest writes what it may write. */
function isTheGuests({ space, offset, backing }: LayoutCapability, at: number): boolean {
  const inside = at - offset;
  if (space === 'standard' ? inside === 1 : inside === 2 || inside === 3) return true;
  return backing.kind === 'emulated' && backing.writable.some(({ offset: dword, mask }) =>
    at >= dword && at < dword + 4 && ((mask >>> (8 * (at - dword))) & 0xff) !== 0);
}

/** Capabilities of the hardware in the layout that neither the kernel nor the VMM shows. */
function notShown(list: CapabilitySpace, { layout, seen }: Shown): readonly Unmet[] {
  return layout.capabilities.filter((one) => one.space === list && one.origin === 'physical' && !isPlaced(one)
    && !seen.chain[list].some(({ offset, id }) => offset === one.offset && id === one.id))
    .map(({ name, offset }): Unmet => {
      const by = hiddenBy(list, offset, seen);
      return { kind: 'not-shown', offset, insteadOffset: null, rule: by?.rule ?? ruleAt(offset, seen).rule,
        confidence: by?.confidence ?? 'V',
        says: `${name} is in the layout, and the guest does not find it${by ? `: ${by.says}` : ''}` };
    });
}

/** What says why a capability of the hardware is not there. */
function hiddenBy(
  list: CapabilitySpace, offset: number, { findings, space }: GuestPrediction,
): Pick<Unmet, 'confidence' | 'says'> & { readonly rule: RuleName } | undefined {
  return findings.find((one) => one.offset === offset && /capability-hidden$/.test(one.kind))
    ?? findings.find(({ kind }) => kind === 'vfio-extended-space-not-shown' && list === 'extended')
    ?? findings.find((one) => one.offset === offset)
    ?? (list === 'extended' && space?.hasExtendedSpace === false
      ? { rule: 'Q9', confidence: 'V', says: 'the guest has no extended space on that bus' } : undefined);
}

/** Capabilities a guest finds that the layout does not have: made unasked, or not hidden. */
function shownUnasked(list: CapabilitySpace, { layout, seen, physical }: Shown): readonly Unmet[] {
  const meant = layout.capabilities.filter(({ space }) => space === list);
  return seen.chain[list].filter(({ id, offset }) => !isPlaceholder(list, id, offset)
    && !meant.some((one) => one.offset === offset && one.id === id)).map(({ id, offset }): Unmet => {
    const isHardware = physical.capabilities.some((one) =>
      one.space === list && one.offset === offset && one.id === id);
    return {
      kind: 'shown-unasked', offset, insteadOffset: null, ...ruleAt(offset, seen),
      says: `ID 0x${id.toString(16)} is ${isHardware ? 'shown, though the layout hides it' : 'made unasked'}`,
    };
  });
}

/** What VMMs leave where a capability was: K12, Q10, C6, O2, X4. */
function isPlaceholder(space: CapabilitySpace, id: number, offset: number): boolean {
  return space === 'extended' && (id === 0 || (id === 0x0c && offset === 0x100));
}

/** A guest walks what both have in another order. */
function orderOf(list: CapabilitySpace, { layout, seen }: Shown): readonly Unmet[] {
  const meant = layout.capabilities.filter(({ space }) => space === list).map(({ offset }) => offset);
  const walked = seen.chain[list].map(({ offset }) => offset).filter((one) => meant.includes(one));
  const common = meant.filter((one) => walked.includes(one));
  const at = common.find((one, index) => one !== walked[index]);
  if (at === undefined) return [];
  const shown = (offsets: readonly number[]): string => offsets.map((one) => one.toString(16)).join(' ');
  return [{ kind: 'order-differs', offset: at, insteadOffset: null, ...ruleAt(at, seen),
    says: `a guest walks ${shown(walked)} instead of ${shown(common)}` }];
}

/** Bytes beside the placements that are the layout's and not the hardware's, and that a guest reads otherwise. */
function unmetBytes(shown: Shown, space: ConfigSpace, placed: readonly LayoutCapability[]): readonly Unmet[] {
  const { layout, physical, isHardwareKnown } = shown;
  const isLink = linksOf(layout);
  const isOurs = ({ by }: LayoutRange['provenance'], at: number): boolean => by === 'operator'
    || (isHardwareKnown && at < physical.space.size && layout.space.u8(at) !== physical.space.u8(at));
  return layout.ranges.filter(({ compare }) => compare === 'identical').flatMap((range) =>
    unlikeRuns(range, (at) => !isOurs(range.provenance, at) || isLink(at)
      || placed.some((one) => ByteRange.contains(one, { offset: at, length: 1 }))
      || (at < space.size && space.u8(at) === layout.space.u8(at)))
      .map((run) => differing('operation-not-obeyed', range.provenance.rule, run, shown, space)));
}

/** Pointers and headers: what a walk of the lists already told. */
function linksOf({ capabilities }: LayoutDocument): (at: number) => boolean {
  const links = new Set([0x34, 0x100, 0x101, 0x102, 0x103]);
  for (const { space, offset } of capabilities) {
    for (let at = offset; at < offset + (space === 'standard' ? 2 : 4); at += 1) links.add(at);
  }
  return (at) => links.has(at);
}

/** Without the hardware nobody can tell what is hidden or replaced, nor where one was before it was moved. */
function notTold({ layout, isHardwareKnown, settings }: Shown): readonly Unmet[] {
  if (isHardwareKnown) return [];
  const because = (offset: number, says: string): Unmet => ({ kind: 'hardware-not-told', offset, insteadOffset: null,
    rule: null, confidence: 'U', says: `${says}; only the function itself tells` });
  const isSet = (at: number): boolean => identitySettings.some(({ offset, setting }) =>
    offset === at && Object.hasOwn(settings, setting));
  const { ranges, capabilities } = layout;
  return [
    ...ranges.flatMap(({ provenance: { by, rule }, offset }, index) => {
      const before = ranges[index - 1]?.provenance.rule;
      const isPart = rule === 'hide-capability' && rule === before;
      if (by !== 'operator' || isPart || isSet(offset)) return [];
      // An anchor stands where the header of a hidden first one was.
      if (rule === 'hide-capability') {
        return [because(before === 'anchor' ? offset - 4 : offset, 'whether the VMM hides the capability here')];
      }
      return [because(offset, `${rule}: what a guest finds here without it`)];
    }),
    ...capabilities.filter(({ backing, offset }) => backing.kind === 'physical' && backing.offset !== offset)
      .map(({ name, offset }) => because(offset, `${name} is elsewhere in the hardware: what is here`)),
  ];
}

/** Where nothing is known about the list a guest finds, nothing is promised. */
function notKnown({ seen, layout }: Shown, unmet: readonly Unmet[]): readonly Unmet[] {
  const open = seen.unpredicted.find((one) => ByteRange.contains(one, { offset: 0x100, length: 4 }));
  if (!open || layout.extendedList.length === 0 || unmet.some(({ rule }) => rule === open.rule)) return [];
  return [{ kind: 'not-known', offset: open.offset, insteadOffset: null, rule: open.rule, confidence: 'U',
    says: 'what a guest finds in extended space is not known' }];
}

/** The last rule that wrote a byte, and how sure it is. */
function ruleAt(at: number, { ruled, findings }: GuestPrediction): Pick<Unmet, 'rule' | 'confidence'> {
  const rule = ruled.findLast((one) => ByteRange.contains(one, { offset: at, length: 1 }))?.rule ?? null;
  return { rule, confidence: findings.find((one) => one.rule === rule)?.confidence ?? 'V' };
}
