import { barSizesOf, profileOf, settingOf, vmmOf } from './vmm-options.js';

describe('the options about VMMs', () => {
  it('take a VMM by the name of a profile or by its version, and name those there are', () => {
    expect(profileOf('qemu-11.0').name).toBe('qemu-11.0');
    expect(vmmOf('qemu-11.0.2')).toMatchObject({ profile: { name: 'qemu-11.0' }, assumed: null });
    expect(vmmOf('qemu-8.2').assumed).toMatch(/nobody looked at QEMU 8\.2/);
    expect(() => profileOf('qemu-6')).toThrow(/qemu-7\.2, .*generic/);
  });

  it('collect settings, of which the last of one name counts', () => {
    expect(settingOf('c==', settingOf('a=2', settingOf('a=1')))).toEqual({ a: '2', c: '=' });
    expect(() => settingOf('a')).toThrow(/NAME=VALUE/);
    expect(() => settingOf('=1')).toThrow(/NAME=VALUE/);
  });

  it('take the sizes of BARs with and without a unit', () => {
    expect(barSizesOf('16K,0,0x1000,1m,2G')).toEqual([16_384, 0, 4096, 2 ** 20, 2 ** 31]);
    for (const wrong of ['', '3', '16KB', '-1', '8', '1,2,4', '0,0,0,0,0,0,0']) {
      expect(() => barSizesOf(wrong)).toThrow(/powers of two/);
    }
  });
});
