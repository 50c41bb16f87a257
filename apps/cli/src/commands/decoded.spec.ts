import { stripVTControlCharacters } from 'node:util';
import { Bdf, type Capture } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { decodedJson } from './decoded-json.js';
import { decodedMap } from './decoded-map.js';
import { decodedTree } from './decoded-tree.js';

const address = Bdf.from('3b:00.1');
if (!address.ok) throw new Error('3b:00.1 is an address');

/** PASID of width 16 with privileged mode, behind an unknown byte at 0x120. */
const capture: Capture = {
  address: address.value,
  title: 'a card',
  space: buildConfigSpace({
    vendorId: 0x10de, deviceId: 0x24a0,
    standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }],
    extended: [{ id: 0x0001, offset: 0x100 }, { id: 0x001b, offset: 0x200, body: [0x04, 0x10, 0x00, 0x00] }],
    bytes: { 0x150: [0x8f] },
  }),
};

describe('a decoded function', () => {
  it('is a tree of capabilities with their extents and registers', () => {
    const tree = stripVTControlCharacters(decodedTree(capture));
    expect(tree).toMatch(/^0000:3b:00\.1 a card\n {2}10de:24a0 class/);
    expect(tree).toMatch(/\[200 v1\]\s+PASID\s+Process Address Space ID \(0x200\.\.0x207\)\n.*maxPasidWidth=0x10/);
    expect(tree).toMatch(/privilegedModeSupported\+|privilegedSupported\+/);
  });

  it('shows only the capability that holds an offset, and no registers when it is to be brief', () => {
    const tree = stripVTControlCharacters(decodedTree(capture, { at: 0x204, brief: true }));
    expect(tree.split('\n')).toHaveLength(3);
    expect(tree).toMatch(/PASID/);
  });

  it('is JSON in which numbers are numbers', () => {
    const json = decodedJson(capture) as { capabilities: readonly { fields: readonly object[] }[]; gaps: unknown };
    expect(json).toMatchObject({
      address: '0000:3b:00.1', vendorId: 0x10de, deviceId: 0x24a0, size: 4096,
      capabilities: [
        { space: 'standard', id: 0x10, offset: 0x60 },
        { space: 'extended', id: 1, offset: 0x100, version: 1 },
        { space: 'extended', id: 0x1b, offset: 0x200, length: 8, name: 'PASID' },
      ],
    });
    expect(json.capabilities[2]?.fields).toContainEqual(expect.objectContaining(
      { name: 'maxPasidWidth', at: 0x204, lsb: 8, width: 5, access: 'RO', value: 16 }));
    expect(json.gaps).toContainEqual({ offset: 0x208, length: 0xdf8, zero: true });
  });

  it('is a map with one mark for each byte', () => {
    const rows = stripVTControlCharacters(decodedMap(capture)).split('\n');
    expect(rows).toContain('000: ################');
    expect(rows).toContain('150: ?...............');
    expect(rows).toContain('200: CCCCCCCC........');
    expect(rows).toContain('C PASID@200 (hidden by vfio-pci)');
  });
});
