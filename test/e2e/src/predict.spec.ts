import { join } from 'node:path';
import { cadastre, root } from './ledger-process.js';

const sample = join(root, 'samples', 'igb-pf.lspci');
const physicalFunction = join(root, 'samples', 'nvme-pf.lspci');

describe('cadastre predict', () => {
  it('shows the guest\'s lists, the rules, and where writes go through', () => {
    const { status, stdout } = cadastre(['predict', sample, '--vmm', 'qemu-11.0', '--pasid-width', '16',
      '--knob', 'x-vpasid-cap-offset=0x300']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}extended .*0x1b@300$/m);
    expect(stdout).toMatch(/writes to 0x300\.\.0x307 reach the hardware \(Q20, D\)/);
  });

  it('prints a guest that decode reads', () => {
    const { stdout } = cadastre(['predict', sample, '--vmm', 'crosvm', '--lspci']);
    const { status, stdout: decoded } = cadastre(['decode', '-'], Buffer.from(stdout));
    expect(status).toBe(0);
    expect(decoded).toMatch(/\[100 v1\]\s+AER/);
    expect(decoded).not.toMatch(/SRIOV/);
  });

  it('prints JSON with outcome, findings and bytes', () => {
    const { stdout } = cadastre(['predict', sample, '--vmm', 'qemu-11.1', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'cadastre.predict/1', functions: [{
      outcome: { kind: 'starts' }, profile: { name: 'qemu-11.1', revision: 1 } }] });
  });

  it('shows a VF with the IDs its PF tells', () => {
    const vf = join(root, 'samples', 'igb-vf.lspci');
    const shown = (options: readonly string[]) => cadastre(['predict', vf, '--vmm', 'crosvm', '--lspci', ...options]);
    expect(shown(['--pf', sample]).stdout).toMatch(/^00: 86 80 ca 10 /m);
    expect(shown([])).toMatchObject({ stdout: expect.stringMatching(/^00: ff ff ff ff /m) as unknown,
      stderr: expect.stringContaining('--pf <dump> tells') as unknown });
  });

  it('hears of BAR sizes, of a guest without an IOMMU, and of a missing interrupt', () => {
    const relocated = ['predict', sample, '--vmm', 'qemu-11.1', '--knob', 'x-msix-relocation=bar3'];
    expect(cadastre(relocated).stdout).toMatch(/depends on the size of the BAR/);
    expect(cadastre([...relocated, '--bar-sizes', '128K,4M,0,16K']).stdout).not.toMatch(/depends on the size/);
    const pasid = ['predict', sample, '--vmm', 'qemu-11.1', '--pasid-width', '16'];
    expect(cadastre(pasid).stdout).toMatch(/0x1b@ff8/);
    expect(cadastre([...pasid, '--no-viommu']).stdout).not.toMatch(/0x1b@ff8/);
    expect(cadastre(['predict', sample, '--vmm', 'crosvm', '--lspci', '--no-interrupt']).stdout)
      .toMatch(/^30: (.. ){13}00 /m);
  });

  it('says what it was predicted with, how failures are told, and where what is', () => {
    const use = ['predict', sample, '--vmm', 'qemu-11.0.2', '--kernel', '6.12', '--flavour', 'nvidia'];
    const { stdout } = cadastre([...use, '--knob', 'rombar=0']);
    expect(stdout).toMatch(/^ {2}on +Linux 6\.12 nvidia, root-port rombar=0$/m);
    expect(stdout).toMatch(/! ID 0x10 is dropped at 0x160/);
    expect(stdout).toMatch(/^ {2}raw +writes reach the hardware at 0x.*\(K2, V\)$/m);
    expect(stdout).toMatch(/^ {2}failures +silent/m);
    expect(stdout).toMatch(/x-vpasid-cap-offset is not set: PASID is at 0xff8 where it is made/);
    expect(JSON.parse(cadastre([...use, '--json']).stdout)).toMatchObject({
      kernel: { release: '6.12', flavour: 'nvidia' }, knobs: { port: 'root-port', settings: {}, viommuPasid: true },
      functions: [{ profile: { name: 'qemu-11.0' }, failureMode: 'silent' }] });
    expect(cadastre(['predict', sample, '--vmm', 'qemu-8.2']).stderr).toMatch(/nobody looked at QEMU 8\.2/);
  });

  it('takes an IOMMU with PASID for granted where a knob places it, and says so', () => {
    const use = ['predict', sample, '--vmm', 'qemu-11.0', '--knob', 'x-vpasid-cap-offset=0x300'];
    const { stdout, stderr } = cadastre(use);
    expect(stdout).toMatch(/^ {2}extended .*0x1b@300$/m);
    expect(stderr).toMatch(/nobody told what the IOMMU has/);
    expect(cadastre([...use, '--pasid-width', '0']).stdout).not.toMatch(/0x1b@300/);
  });

  it('ends with 1 where the device would not start', () => {
    const { status, stdout } = cadastre(['predict', join(root, 'samples', 'root-port.lspci'), '--vmm', 'qemu-11.0']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/refused \(reading C8, V\)/);
  });

  it.each([[['--vmm', 'qemu-6']], [[]], [['--vmm', 'qemu-11.0', '--port', 'x']], [['--vmm', 'crosvm', '--knob', 'x']]])(
    '%j is a wrong use', (options) => {
      expect(cadastre(['predict', sample, ...options]).status).toBe(2);
    });
});

describe('cadastre identify', () => {
  it('finds the VMM of a guest that was predicted', () => {
    const { stdout: guest } = cadastre(['predict', physicalFunction, '--vmm', 'qemu-11.1', '--pasid-width', '12',
      '--knob', 'x-vpasid-cap-offset=0x400', '--lspci']);
    const { status, stdout } = cadastre(['identify', physicalFunction, '-'], Buffer.from(guest));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^0 +qemu-11\.\d .*x-vpasid-cap-offset=0x400/m);
  });

  it('ends with 1 where nothing explains every byte', () => {
    const { status, stderr } = cadastre(['identify', physicalFunction, sample]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/nothing explains every byte/);
  });
});
