import { profileOf, settingOf } from './vmm-options.js';

describe('the options about VMMs', () => {
  it('take a profile by name and name those there are', () => {
    expect(profileOf('qemu-11.0').name).toBe('qemu-11.0');
    expect(() => profileOf('qemu-9')).toThrow(/qemu-7\.2, .*generic/);
  });

  it('collect settings, of which the last of one name counts', () => {
    expect(settingOf('c==', settingOf('a=2', settingOf('a=1')))).toEqual({ a: '2', c: '=' });
    expect(() => settingOf('a')).toThrow(/NAME=VALUE/);
    expect(() => settingOf('=1')).toThrow(/NAME=VALUE/);
  });
});
