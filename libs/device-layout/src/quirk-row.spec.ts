import { readHeader } from '@cadastre/config-space';
import { buildConfigSpace, type ConfigSpaceParts } from '@cadastre/config-space/testing';
import { knownQuirks } from './known-quirks.js';
import { quirksOf } from './quirk-row.js';

const rowsOf = (parts: ConfigSpaceParts): readonly string[] =>
  quirksOf(readHeader(buildConfigSpace(parts)), knownQuirks).map(({ name }) => name);

describe('the quirk table', () => {
  it('has a name of its own for each row, and ranges inside config space', () => {
    expect(new Set(knownQuirks.map(({ name }) => name)).size).toBe(knownQuirks.length);
    for (const { forbidden = [], doubtful = [], places = {} } of knownQuirks) {
      for (const { offset, length } of [...forbidden, ...doubtful, ...Object.values(places)]) {
        expect([offset >= 0x40, length > 0, offset + length <= 0x1000]).toEqual([true, true, true]);
      }
    }
  });

  const made = (vendorId: number, deviceId: number, classCode = 0x020000): ConfigSpaceParts =>
    ({ vendorId, deviceId, classCode });
  const examples: readonly (readonly [row: string, parts: ConfigSpaceParts])[] = [
    ['designware-samsung', made(0x144d, 0xa826)], ['designware-realtek', made(0x10ec, 0x8168)],
    ['designware-atheros', made(0x168c, 0x002a)], ['designware-oxford', made(0x1415, 0xc11b)],
    ['designware-synopsys', made(0x16c3, 0xedda)], ['designware-sifive', made(0xf15e, 0x0000, 0x060400)],
    ['nvidia-scattered-registers', made(0x10de, 0x0a65)],
    ['nvidia-display-and-audio', made(0x10de, 0x1cb1, 0x040300)],
    ['pericom-undecoded', made(0x12d8, 0x2304)], ['plx-8532-undecoded', made(0x10b5, 0x8532)],
    ['intel-root-port-registers', made(0x8086, 0x2f04, 0x060400)],
    ['intel-root-port-registers-27d0', made(0x8086, 0x27d2, 0x060400)],
    ['intel-root-port-registers-3a40', made(0x8086, 0x3a44, 0x060400)],
    ['intel-root-port-registers-3400', made(0x8086, 0x340e, 0x060400)],
    ['intel-graphics-registers', made(0x8086, 0x46a6)], ['marvell-4363-aliases', made(0x11ab, 0x4363)],
    ['be2net-registers', made(0x19a2, 0x0710)], ['be2net-registers-emulex', made(0x10df, 0xe220)],
    ['ibm-citrine-size', made(0x1014, 0x028c)], ['netronome-size', made(0x19ee, 0x6003)],
    ['intel-dlb-driver-offset', made(0x8086, 0x2714)], ['amd-ats-ignored', made(0x1002, 0x731f)],
    ['amd-picasso-ats-ignored', { ...made(0x1002, 0x15d8), revision: 0xcf, subsystemVendorId: 0xea50,
      subsystemId: 0xce19 }],
    ['intel-ipu-ats-ignored', made(0x8086, 0x145c)],
    ['hisilicon-pasid-without-prefix-21', { ...made(0x19e5, 0xa250), revision: 0x21 }],
    ['hisilicon-pasid-without-prefix-30', { ...made(0x19e5, 0xa259), revision: 0x30 }],
  ];

  it.each(examples)('has %s for one function, and not for another device', (row, parts) => {
    expect(rowsOf(parts)).toContain(row);
    // A row for a whole vendor is about that one too; not about another vendor's.
    const neighbour = { ...parts, deviceId: (parts.deviceId ?? 0) ^ 0x8000 };
    const isForAll = row === 'be2net-registers' || row === 'nvidia-display-and-audio';
    expect(rowsOf(isForAll ? { ...neighbour, vendorId: 0x1af4 } : neighbour)).not.toContain(row);
  });

  it('has such a function for each row', () => {
    expect(knownQuirks.map(({ name }) => name)).toEqual(examples.map(([row]) => row));
  });

  it.each<[string, ConfigSpaceParts, readonly string[]]>([
    ['a function nobody has a row for', { vendorId: 0x1af4, deviceId: 0x1041 }, []],
    ['one vendor and device', { vendorId: 0x144d, deviceId: 0xa808 }, ['designware-samsung']],
    ['a display function of NVIDIA: a doubt', { vendorId: 0x10de, deviceId: 0x1cb1, classCode: 0x030000 },
      ['nvidia-display-and-audio']],
    ['one that was seen: a rule and the doubt', { vendorId: 0x10de, deviceId: 0x24a0, classCode: 0x030000 },
      ['nvidia-scattered-registers', 'nvidia-display-and-audio']],
    ['a root port by family', { vendorId: 0x8086, deviceId: 0x3408, classCode: 0x060400 },
      ['intel-root-port-registers-3400']],
    ['the same device ID in another class: reading F4', { vendorId: 0x8086, deviceId: 0x3408, classCode: 0x088000 },
      []],
    ['a revision before the repair', { vendorId: 0x8086, deviceId: 0x1452, revision: 0x1f }, ['intel-ipu-ats-ignored']],
    ['the repaired revision', { vendorId: 0x8086, deviceId: 0x1452, revision: 0x20 }, []],
    ['a VF whose PF a driver knows: the driver is not of the VF', { vendorId: 0x8086, deviceId: 0x2711 }, []],
    ['a subsystem', { vendorId: 0x1002, deviceId: 0x15d8, revision: 0xcf, subsystemVendorId: 0xea50,
      subsystemId: 0xcc10 }, ['amd-picasso-ats-ignored']],
    ['another subsystem', { vendorId: 0x1002, deviceId: 0x15d8, revision: 0xcf, subsystemVendorId: 0xea50,
      subsystemId: 0x1234 }, []],
  ])('finds rows for %s', (_, parts, names) => {
    expect(rowsOf(parts)).toEqual(names);
  });
});
