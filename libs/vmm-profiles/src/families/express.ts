import { type GuestImage } from '../guest-image.js';
import { type RuleName } from '../rules.js';

/** Device/Port Type values a function can have. PCIe Base Specification, "PCI Express Capabilities Register". */
export const portType = { endpoint: 0, legacyEndpoint: 1, integratedEndpoint: 9 } as const;

type Rewrite = readonly [at: number, length: 2 | 4, value: number, mask: number];

/** An endpoint integrated into the root complex has no link, so the link registers read 0. */
const integrated: readonly Rewrite[] = [
  [0x02, 2, portType.integratedEndpoint << 4, 0x00f0], [0x0c, 4, 0, 0xffffffff], [0x10, 4, 0, 0xffffffff],
];
const withoutLink2: readonly Rewrite[] = [[0x2c, 4, 0, 0xffffffff], [0x30, 4, 0, 0xffffffff]];

/** Presents an endpoint as integrated into the root complex. */
export function presentAsIntegrated(image: GuestImage, at: number, withLink2: boolean, rule: RuleName): void {
  for (const [offset, length, value, mask] of withLink2 ? [...integrated, ...withoutLink2] : integrated) {
    image.put(at + offset, length, value, rule, mask);
  }
}

/** The same over bytes that are no image: what a verdict expects where PASID makes the function integrated (C9). */
export function integrateExpress(bytes: DataView, at: number): void {
  const version = bytes.getUint16(at + 2, true) & 0xf;
  for (const [offset, length, value, mask] of version > 1 ? [...integrated, ...withoutLink2] : integrated) {
    if (length === 2) bytes.setUint16(at + offset, (bytes.getUint16(at + offset, true) & ~mask) | value, true);
    else bytes.setUint32(at + offset, value, true);
  }
}
