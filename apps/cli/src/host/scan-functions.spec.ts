import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { scanFunctions } from './scan-functions.js';

/** A folder laid out as /sys/bus/pci/devices is. */
function sysfs(lay: (add: (name: string, config: Uint8Array) => string) => void): string {
  const root = mkdtempSync(join(tmpdir(), 'cadastre-sysfs-'));
  lay((name, config) => {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'config'), config);
    return join(root, name);
  });
  return root;
}

const whole = buildConfigSpace({ vendorId: 0x8086 }).toBytes();
const made: string[] = [];
const scan = (lay: Parameters<typeof sysfs>[0]): ReturnType<typeof scanFunctions> => {
  const root = sysfs(lay);
  made.push(root);
  return scanFunctions(root);
};

describe('a scan of a machine', () => {
  afterAll(() => made.forEach((root) => rmSync(root, { recursive: true })));

  it('finds every function with its bytes, in order of their addresses', () => {
    const { functions, unreadable } = scan((add) => {
      add('0000:02:00.0', whole.slice(0, 256));
      add('0000:01:00.0', whole);
    });
    expect(functions.map(({ address, space }) => [address, space.size])).toEqual([
      ['0000:01:00.0', 4096], ['0000:02:00.0', 256],
    ]);
    expect(unreadable).toEqual([]);
  });

  it('knows a VF by its link to its PF, and a PF by the VFs it can have', () => {
    const { functions } = scan((add) => {
      const pf = add('0000:03:00.0', whole);
      writeFileSync(join(pf, 'sriov_totalvfs'), '8\n');
      symlinkSync('../0000:03:00.0', join(add('0000:03:00.1', whole), 'physfn'));
      add('0000:04:00.0', whole);
    });
    expect(functions.map(({ role, pf }) => [role, pf])).toEqual([
      ['pf', null], ['vf', '0000:03:00.0'], ['none', null],
    ]);
  });

  it('takes the 64 bytes an ordinary user gets for what they are', () => {
    const { functions } = scan((add) => add('0000:01:00.0', whole.slice(0, 64)));
    expect(functions[0]?.space).toMatchObject({ capturedBytes: 64, isWhole: false });
  });

  it('names what it could not read and goes on', () => {
    const { functions, unreadable } = scan((add) => {
      add('0000:01:00.0', whole.slice(0, 10));
      add('not-an-address', whole);
      add('0000:02:00.0', whole);
    });
    expect(functions.map(({ address }) => address)).toEqual(['0000:02:00.0']);
    expect(unreadable.map(({ name }) => name)).toEqual(['0000:01:00.0', 'not-an-address']);
    expect(unreadable[0]?.problem).toMatch(/10 bytes: allowed is 64 to 4096 bytes/);
  });

  it('of a machine without PCI is empty', () => {
    expect(scanFunctions('/no/such/folder').functions).toEqual([]);
  });

  it('says when it may not look, unless it is root, who may always', () => {
    const root = sysfs(() => undefined);
    made.push(root);
    chmodSync(root, 0o000);
    if (process.getuid?.() === 0) expect(scanFunctions(root).functions).toEqual([]);
    else expect(() => scanFunctions(root)).toThrow(/EACCES/);
    chmodSync(root, 0o700);
  });
});
