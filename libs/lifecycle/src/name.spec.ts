import { ok, refuse } from '@cadastre/config-space';
import { DeviceId, HostName, VmId } from './name.js';

const limit = '1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit';

describe.each([['HostName', HostName], ['VmId', VmId], ['DeviceId', DeviceId]])('%s', (_name, Name) => {
  it.each(['a', '7', 'host-a.example', 'vm_1', 'x'.repeat(64)])('accepts %s', (given) => {
    expect(Name.from(given)).toEqual(ok(given));
  });

  it.each(['', '.', '..', '-a', '_a', 'a/b', 'a b', 'a\n', 'ä', 'x'.repeat(65)])('refuses %j', (given) => {
    expect(Name.from(given)).toEqual(refuse({ kind: 'not-a-name', given, limit }));
  });
});
