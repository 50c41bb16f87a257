import { type ConfigSpace } from './config-space.js';
import { readHeader } from './header.js';
import { type LinkedCapability } from './walk-capabilities.js';

/** PCI-X Addendum, "PCI-X Status Register": 266 MHz and 533 MHz capable, which is mode 2. */
const mode2Capable = 0xc0000000;

/**
 * A function has an extended space that system software looks at when it lists a PCI Express capability, or a
 * PCI-X one of mode 2. Without either, Linux reads 256 bytes (K16).
 */
export function announcesExtendedSpace(space: ConfigSpace, linked: readonly LinkedCapability[]): boolean {
  return linked.some(({ space: list, id, offset }) => {
    if (list !== 'standard') return false;
    if (id === 0x10) return true;
    return id === 0x07 && space.captured(offset + 4, 4) && (space.u32(offset + 4) & mode2Capable) !== 0;
  });
}

const hostBridge = 0x0600;

/**
 * Whether Linux reads 4096 bytes of a function, on a host and in a guest: of a host bridge always, of another function
 * when something announces them (K16, reading P10).
 */
export function linuxReadsExtendedSpace(space: ConfigSpace, linked: readonly LinkedCapability[]): boolean {
  return space.hasExtendedSpace && (readHeader(space).classCode >>> 8 === hostBridge
    || announcesExtendedSpace(space, linked));
}
