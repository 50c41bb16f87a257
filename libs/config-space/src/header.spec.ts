import { announcesCapabilities, capabilitiesPointerAt, readHeader } from './header.js';
import { buildConfigSpace } from './testing/build-config-space.js';

describe('the common header', () => {
  it('tells IDs, class, revision, type and subsystem of a function', () => {
    const space = buildConfigSpace({
      vendorId: 0x10de, deviceId: 0x24a0, classCode: 0x030000, revision: 0xa1, command: 0x0407,
      subsystemVendorId: 0x17aa, subsystemId: 0x3fb7, headerType: 0x80,
    });
    expect(readHeader(space)).toEqual({
      vendorId: 0x10de, deviceId: 0x24a0, command: 0x0407, status: 0, revision: 0xa1, classCode: 0x030000,
      type: 0, multiFunction: true, subsystemVendorId: 0x17aa, subsystemId: 0x3fb7,
    });
  });

  it('has no subsystem in a bridge, which keeps it in a capability', () => {
    const header = readHeader(buildConfigSpace({ headerType: 1, bytes: { 0x2c: [1, 2, 3, 4] } }));
    expect([header.type, header.subsystemVendorId, header.subsystemId]).toEqual([1, null, null]);
  });

  it('keeps the list pointer at 0x34, in a CardBus bridge at 0x14', () => {
    const pointers = [0, 1, 2].map((headerType) => capabilitiesPointerAt(readHeader(buildConfigSpace({ headerType }))));
    expect(pointers).toEqual([0x34, 0x34, 0x14]);
  });

  it('announces capabilities by Status bit 4 alone', () => {
    expect(announcesCapabilities(readHeader(buildConfigSpace({ status: 0x0010 })))).toBe(true);
    expect(announcesCapabilities(readHeader(buildConfigSpace({ status: 0xffef })))).toBe(false);
  });
});
