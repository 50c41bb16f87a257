import { KnownNames, namesMax } from './known-names.js';

describe('known names', () => {
  it('give back the same name, whatever text it was cut from', () => {
    const names = new KnownNames();
    const text = `device-vm1/gpu0\nfunction-hostA/0000:3b:00.1\ndevice-vm1/gpu0\n${'\u00e9'.repeat(3)}`;
    expect(text.split('\n').map((name) => names.own(name))).toEqual(text.split('\n'));
    expect(names.size).toBe(3);
  });

  it('are forgotten when there are too many of them, and found again', () => {
    const names = new KnownNames();
    for (let index = 0; index <= namesMax; index += 1) names.own(`device-vm${index}/gpu0`);
    expect(names.size).toBe(1);
    expect(names.own('device-vm0/gpu0')).toBe('device-vm0/gpu0');
  });
});
