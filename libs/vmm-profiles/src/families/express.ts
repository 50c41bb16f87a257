import { type GuestImage } from '../guest-image.js';
import { type RuleName } from '../rules.js';

/** Device/Port Type values a function can have. PCIe Base Specification, "PCI Express Capabilities Register". */
export const portType = { endpoint: 0, legacyEndpoint: 1, integratedEndpoint: 9 } as const;

/** Presents an endpoint as integrated into the root complex: no link, so the link registers read 0. */
export function presentAsIntegrated(image: GuestImage, at: number, withLink2: boolean, rule: RuleName): void {
  image.put(at + 0x02, 2, portType.integratedEndpoint << 4, rule, 0x00f0);
  image.put(at + 0x0c, 4, 0, rule);
  image.put(at + 0x10, 4, 0, rule);
  if (!withLink2) return;
  image.put(at + 0x2c, 4, 0, rule);
  image.put(at + 0x30, 4, 0, rule);
}
