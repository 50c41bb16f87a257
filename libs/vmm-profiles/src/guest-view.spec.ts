import { device, linux72, pinned, predict, withPasid } from './testing.js';

describe('the place of PASID that nobody named', () => {
  const told = (...given: Parameters<typeof predict>): unknown =>
    predict(...given).findings.filter(({ kind }) => kind === 'implicit-offset')
      .map(({ rule, offset }) => [rule, offset]);

  it('is told once, whether PASID is made or not', () => {
    for (const host of [withPasid, linux72]) {
      expect(told(device.d1, 'qemu-11.0', {}, host)).toEqual([['Q15', 0xff8]]);
      expect(told(device.d1, 'cloud-hypervisor-new', {}, host)).toEqual([['C8', 0xff8]]);
      expect(told(device.d1, 'qemu-11.1', { viommuPasid: false }, host)).toEqual([['Q15', 0xff8]]);
      expect(told(device.d3, 'qemu-11.1', {}, host)).toEqual([['Q15', 0xff8]]);
    }
    expect(told(device.d1, 'qemu-11.0', { settings: { 'x-vpasid-cap-offset': '0' } })).toEqual([['Q15', 0xff8]]);
  });

  it('is no matter where one was named, or where none is made', () => {
    expect(told(device.d1, 'qemu-11.0', pinned('0x300'), withPasid)).toEqual([]);
    for (const name of ['qemu-10.0', 'crosvm', 'cloud-hypervisor-old', 'generic']) {
      expect(told(device.d1, name, {}, withPasid)).toEqual([]);
    }
  });
});
