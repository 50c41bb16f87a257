import { isSameModel, modelName } from './same-model.js';

const ids = (
  vendorId: number, deviceId: number, subsystemVendorId: number | null, subsystemId: number | null,
  classCode = 0x020000,
) => ({ vendorId, deviceId, subsystemVendorId, subsystemId, classCode });

describe('a model', () => {
  it('is vendor and device, whoever put the chip on a board', () => {
    expect(isSameModel(ids(0x8086, 0x10d3, 1, 2), ids(0x8086, 0x10d3, 3, 4))).toBe(true);
    expect(isSameModel(ids(0x8086, 0x10d3, 1, 2), ids(0x8086, 0x10d4, 1, 2))).toBe(false);
    expect(modelName(ids(0x8086, 0x10d3, null, null))).toBe('8086:10d3');
  });

  it('is the subsystem of a VF, which has no IDs of its own', () => {
    expect(isSameModel(ids(0xffff, 0xffff, 1, 2), ids(0xffff, 0xffff, 1, 3))).toBe(false);
    expect(isSameModel(ids(0xffff, 0xffff, 1, 2), ids(0xffff, 0xffff, 1, 2, 0x010802))).toBe(false);
    expect(modelName(ids(0xffff, 0xffff, 0x8086, 0x12))).toBe('VF of 8086:0012, class 020000');
  });
});
