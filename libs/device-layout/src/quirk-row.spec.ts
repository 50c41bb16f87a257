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
    ['a subsystem', { vendorId: 0x1002, deviceId: 0x15d8, revision: 0xcf, subsystemVendorId: 0xea50,
      subsystemId: 0xcc10 }, ['amd-picasso-ats-ignored']],
    ['another subsystem', { vendorId: 0x1002, deviceId: 0x15d8, revision: 0xcf, subsystemVendorId: 0xea50,
      subsystemId: 0x1234 }, []],
  ])('finds rows for %s', (_, parts, names) => {
    expect(rowsOf(parts)).toEqual(names);
  });
});
