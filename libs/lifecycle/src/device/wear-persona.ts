import { ByteRange, ok, refuse, type Result } from '@cadastre/config-space';
import {
  capabilityNamed, fit, type LayoutDocument, type Persona, personaName, type Placement, type PlannedLayout, planWorn,
  type VerdictReason, type Wearer,
} from '@cadastre/device-layout';
import { type LayoutWish } from './decide-layout.js';

export type WearRefusal =
  | { readonly kind: 'persona-does-not-fit'; readonly persona: string; readonly reasons: readonly VerdictReason[] }
  /** A persona is worn whole: what else was wished for would be passed over. */
  | { readonly kind: 'persona-worn-whole'; readonly persona: string; readonly members: readonly string[] }
  /** A guest of this device has found capabilities where the persona does not have them. */
  | { readonly kind: 'persona-moves-places'; readonly persona: string; readonly reasons: readonly VerdictReason[] };

/** What a function shows in a persona, with every place that earlier layouts of the device hold left as it was. */
export function wearPersona(
  persona: Persona, wish: LayoutWish, wearer: Wearer, kept: readonly Placement[],
): Result<PlannedLayout, WearRefusal> {
  const named = personaName(persona);
  const members = besideIn(wish);
  if (members.length > 0) return refuse({ kind: 'persona-worn-whole', persona: named, members });
  const { worn, verdict: { reasons } } = fit(persona, wearer);
  if (!worn) return refuse({ kind: 'persona-does-not-fit', persona: named, reasons });
  const moves = kept.flatMap((one) => movedBy(worn.layout, one) ?? []);
  if (moves.length > 0) return refuse({ kind: 'persona-moves-places', persona: named, reasons: moves });
  return ok(planWorn(worn));
}

/** What of a wish a persona would pass over. The order of strategies says nothing where nothing is placed. */
function besideIn({ requested, operations, told, policy }: LayoutWish): readonly string[] {
  const members: Readonly<Record<string, boolean>> = {
    'capabilities': requested.length > 0, 'policy.operations': operations.length > 0, 'policy.told': told.length > 0,
    'policy.pinned': Object.keys(policy.pinned).length > 0, 'policy.allowedRanges': policy.allowedRanges.length > 0,
    'policy.forbiddenRanges': policy.forbiddenRanges.length > 0,
  };
  return Object.keys(members).filter((name) => members[name]);
}

/** What becomes of a place a guest may have cached; nothing where it stays, or is left alone. */
function movedBy({ capabilities }: LayoutDocument, kept: Placement): VerdictReason | undefined {
  const { space, id, offset, length } = kept;
  const name = capabilityNamed(kept);
  const own = capabilities.filter((one) => one.space === space && one.id === id && one.name === name);
  if (own.some((one) => one.offset === offset)) return undefined;
  const [elsewhere] = own;
  if (elsewhere) {
    return { kind: 'offset-would-move', space, id, name, layout: offset, destination: elsewhere.offset };
  }
  const over = capabilities.find((one) => one.space === space && ByteRange.overlaps(one, { offset, length }));
  return over && { kind: 'place-taken', space, id, name, offset, at: Math.max(over.offset, offset), by: over.name };
}
