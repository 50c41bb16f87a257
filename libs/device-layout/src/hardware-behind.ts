import { ConfigSpace, extendedSpaceAt, survey, type Survey } from '@cadastre/config-space';
import { type LayoutCapability, type LayoutDocument } from './layout-document.js';

/**
 * The hardware that a layout document tells of, where nobody shows it: the document without what it adds. What it
 * hides and replaces is not in it.
 */
export function hardwareBehind({ space, capabilities, configSize }: LayoutDocument): Survey {
  const bytes = Uint8Array.from(space.toBytes());
  const view = new DataView(bytes.buffer);
  const own = capabilities.filter(isOfHardware);
  for (const { offset, length } of capabilities.filter((one) => !isOfHardware(one))) {
    bytes.fill(0, offset, offset + length);
  }
  const [standard, extended] = [own.filter((one) => one.space === 'standard'),
    own.filter((one) => one.space === 'extended')];
  bytes[0x34] = standard[0]?.offset ?? 0;
  if (standard.length === 0) bytes[0x06] = (bytes[0x06] ?? 0) & ~0x10;
  standard.forEach(({ offset }, index) => { bytes[offset + 1] = standard[index + 1]?.offset ?? 0; });
  extended.forEach(({ offset }, index) => {
    const header = (view.getUint32(offset, true) & 0xfffff) | ((extended[index + 1]?.offset ?? 0) << 20);
    view.setUint32(offset, header >>> 0, true);
  });
  const [first] = extended;
  if (configSize > extendedSpaceAt && first?.offset !== extendedSpaceAt) {
    view.setUint32(extendedSpaceAt, ((first?.offset ?? 0) << 20) >>> 0, true);
  }
  const made = ConfigSpace.from(bytes);
  if (!made.ok) throw new RangeError(`a layout of ${bytes.length} bytes`);
  return survey(made.value);
}

function isOfHardware({ origin, backing }: LayoutCapability): boolean {
  return origin === 'physical' && backing.kind === 'physical';
}
