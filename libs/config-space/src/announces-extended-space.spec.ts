import { announcesExtendedSpace } from './announces-extended-space.js';
import { readHeader } from './header.js';
import { buildConfigSpace, express, type StandardEntry, u32 } from './testing/build-config-space.js';
import { walkStandardCapabilities } from './walk-capabilities.js';

function announced(standard: readonly StandardEntry[]): boolean {
  const space = buildConfigSpace({ standard });
  return announcesExtendedSpace(space, walkStandardCapabilities(space, readHeader(space), []));
}

describe('the extended space', () => {
  it('is announced by a PCI Express capability, wherever it is in the list', () => {
    expect(announced([{ id: 1, offset: 0xc0 }, express()])).toBe(true);
  });

  it('is announced by PCI-X of mode 2: 266 or 533 MHz', () => {
    const pcix = (status: number): StandardEntry => ({ id: 7, offset: 0x40, body: [0, 0, ...u32(status)] });
    expect([0x40000000, 0x80000000, 0x0003ffff].map((status) => announced([pcix(status)])))
      .toEqual([true, true, false]);
  });

  it('is announced by nothing else', () => {
    expect(announced([{ id: 1, offset: 0x40 }, { id: 0x11, offset: 0x50 }])).toBe(false);
    expect(announced([])).toBe(false);
  });
});
