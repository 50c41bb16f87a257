import { StreamName } from './stream-name.js';

describe('StreamName', () => {
  it.each([
    'function-hostA/0000:3b:00.1', 'device-vm1/gpu0', 'persona-a100.v1', 'plugin-cxl', 'a-0', `a-${'x'.repeat(198)}`,
  ])('takes %s', (name) => {
    expect(StreamName.from(name)).toBe(name);
    expect(StreamName.is(name)).toBe(true);
  });

  it.each([
    '', '-', 'device', 'device-', '-gpu0', 'Device-vm1', 'device1-vm1', 'device-/gpu0', 'device-.', 'device--a',
    'device-vm1 gpu0', 'device-vm1\n', '\ndevice-vm1', 'device-vm\u00e9', 'device-vm1\0', `a-${'x'.repeat(199)}`,
  ])('refuses %j', (name) => {
    expect(StreamName.is(name)).toBe(false);
    expect(() => StreamName.from(name)).toThrow(RangeError);
  });
});
