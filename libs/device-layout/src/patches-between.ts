import { ConfigOffset, type ConfigPatch, type ConfigSpace } from '@cadastre/config-space';

/** The DWORDs in which one space is not the other. A shorter space leaves the rest as it is. */
export function patchesBetween(from: ConfigSpace, to: ConfigSpace): readonly ConfigPatch[] {
  const patches: ConfigPatch[] = [];
  for (let at = 0; at < Math.min(from.size, to.size); at += 4) {
    const value = to.u32(at);
    const mask = (from.u32(at) ^ value) >>> 0;
    if (mask === 0) continue;
    const offset = ConfigOffset.from(at);
    if (!offset.ok) throw new RangeError(`no DWORD at ${at}`);
    patches.push({ offset: offset.value, mask, value: (value & mask) >>> 0 });
  }
  return patches;
}
