import { ByteRange, ConfigSpace } from '@cadastre/config-space';
import { type GuestPrediction, type RuledRange, type RuleName } from '@cadastre/vmm-profiles';
import { ruledBetween } from './caused-by.js';
import { patchesBetween } from './patches-between.js';

/** What Cloud Hypervisor answers for itself, whatever patches it has. */
const withoutPatches: readonly RuleName[] = ['C2', 'C16'];

/**
 * What a guest reads once its state is loaded. Most VMMs show what they show a fresh guest; of those that patch, the
 * new ones lay the patches of the source over the destination (C17), and the old ones forget them (C18).
 * @param fresh what the VMM at the destination shows a guest that starts there
 * @param source what the same VMM showed at the source; null when it was another VMM
 */
export function afterLoad(
  fresh: GuestPrediction, source: GuestPrediction | null,
): { readonly space: ConfigSpace; readonly ruled: readonly RuledRange[] } | null {
  if (!fresh.space) return null;
  switch (fresh.migration.kind) {
    case 'loses-patches': return changed(fresh, fresh.space, unpatched(fresh, fresh.space), 'C18');
    case 'restores-patches': {
      if (source?.space == null || source.migration.kind !== 'restores-patches') break;
      const own = unpatched(fresh, fresh.space);
      const patches = patchesBetween(source.vfio, source.space).filter(({ offset }) => offset < own.size);
      const loaded = changed(fresh, fresh.space, own.patched(patches), 'C17');
      return { ...loaded, ruled: [...source.ruled, ...loaded.ruled] };
    }
    case 'compares-bytes': case 'refuses-to-save': case 'obeys-document': case 'unknown': break;
  }
  return { space: fresh.space, ruled: fresh.ruled };
}

function changed(
  { ruled }: GuestPrediction, from: ConfigSpace, space: ConfigSpace, rule: RuleName,
): { readonly space: ConfigSpace; readonly ruled: readonly RuledRange[] } {
  return { space, ruled: [...ruled, ...ruledBetween(from, space, rule)] };
}

function unpatched({ vfio, ruled }: GuestPrediction, shown: ConfigSpace): ConfigSpace {
  const bytes = vfio.toBytes().slice(0, shown.size);
  for (const { offset, length } of ruled.filter(({ rule }) => withoutPatches.includes(rule))) {
    for (let at = offset; at < ByteRange.end({ offset, length }); at += 1) bytes[at] = shown.u8(at);
  }
  const space = ConfigSpace.fromCapture(bytes);
  if (!space.ok) throw new RangeError(`a view of ${bytes.length} bytes`);
  return space.value;
}
