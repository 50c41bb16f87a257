import { explainRefusal } from './explain.js';
import { type Placement } from './layout.js';
import { capabilityNamed } from './make-layout-document.js';
import { type LayoutRefusal } from './refusal.js';
import { type UnshownBecause } from './verdict.js';

/** Why a capability that has its place already cannot have it over other bytes, as a verdict says it. */
export function unplaced(refusal: LayoutRefusal, placed: readonly Placement[]): UnshownBecause {
  const unfit: UnshownBecause = { kind: 'function-unfit', problem: explainRefusal(refusal) };
  if (refusal.kind !== 'no-place') return unfit;
  const because = refusal.refused.at(-1)?.because;
  const placement = placed.find(({ name }) => name === refusal.name);
  if (!because || !placement) return unfit;
  const { space, id, offset } = placement;
  const named = { space, id, name: capabilityNamed(placement), offset };
  switch (because.kind) {
    case 'offset-occupied':
      return { kind: 'place-taken', ...named, at: Math.max(because.from, offset), by: because.by };
    case 'listed-already': return { kind: 'capability-extra', ...named, offset: because.offset };
    case 'forbidden': return { kind: 'forbidden', ...named, range: because.range, by: because.reason };
    case 'seen-in-use':
      return { kind: 'seen-in-use', ...named, at: because.at, owner: because.owner, by: because.source };
    default: return unfit;
  }
}
