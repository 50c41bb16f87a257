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

  it.each([[['--vmm', 'qemu-9']], [[]], [['--vmm', 'qemu-11.0', '--port', 'x']], [['--vmm', 'crosvm', '--knob', 'x']]])(
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
