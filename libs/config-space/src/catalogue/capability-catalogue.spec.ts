import { kernelViewOf } from '../vfio-kernels.js';
import { capabilityCatalogue, capabilityRow } from './capability-catalogue.js';
import { type CapabilityRow, type CapabilitySpace } from './capability-row.js';

const named = (rows: readonly CapabilityRow[]): readonly string[] => rows.map(({ name }) => name);
const { standard, extended } = capabilityCatalogue;

describe('the capability catalogue', () => {
  it('knows standard IDs 0x00..0x15 and extended IDs 0x0000..0x003a', () => {
    expect([standard.length, extended.length]).toEqual([0x16, 0x3b]);
  });

  it('has one name for each ID of a list', () => {
    for (const rows of [standard, extended]) expect(new Set(named(rows)).size).toBe(rows.length);
  });

  it.each<[CapabilitySpace, number, string]>([
    ['standard', 0x16, 'unknown-16'], ['standard', 0xff, 'unknown-ff'], ['extended', 0x3b, 'unknown-003b'],
    ['extended', 0xffff, 'unknown-ffff'],
  ])('says of %s ID %i that it is unknown, and promises nothing', (space, id, name) => {
    expect(capabilityRow(space, id)).toMatchObject({ id, name, length: null, vfio: 'hide', synthesize: 'no' });
  });

  it('gives a VF neither PASID nor PRI of its own, but ATS', () => {
    expect([0x1b, 0x13, 0x0f].map((id) => capabilityRow('extended', id).allowedIn.vf)).toEqual(['no', 'no', 'yes']);
  });

  it('keeps out of root ports what belongs to endpoints', () => {
    expect([0x0f, 0x10, 0x13, 0x17, 0x1b].map((id) => capabilityRow('extended', id).allowedIn.rootPort))
      .toEqual(['no', 'no', 'no', 'no', 'no']);
  });

  it('shows through vfio-pci exactly what Linux 6.12 has a length for', () => {
    const { view: facts } = kernelViewOf({ release: '6.12', flavour: 'upstream' });
    for (const space of ['standard', 'extended'] as const) {
      const shown = capabilityCatalogue[space].filter(({ vfio }) => vfio === 'show').map(({ id }) => id);
      expect(shown).toEqual(Object.keys(facts[space]).map(Number));
    }
  });

  it('lets a VMM make up only what needs nothing behind it', () => {
    expect(named([...standard, ...extended].filter(({ synthesize }) => synthesize === 'yes')))
      .toEqual(['NULL', 'PM', 'VNDR', 'SSVID', 'NULL', 'AER', 'DSN', 'DVSEC', 'DEV3']);
  });
});
