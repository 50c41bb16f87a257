import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cadastre, root, temporaryDirectory } from './ledger-process.js';

const v1 = join(root, 'samples', 'nic-v1.lspci');
const v2 = join(root, 'samples', 'nic-v2.lspci');
const hasLspci = spawnSync('lspci', ['--version']).status === 0;

describe('layouts on the command line', () => {
  const directory = temporaryDirectory();
  const layout = join(directory.path, 'layout.json');
  const pasidAlone = join(directory.path, 'pasid.json');
  afterAll(() => directory.remove());
  beforeAll(() => {
    expect(cadastre(['plan', v1, '--want', 'pasid,pri', '--out', layout]).status).toBe(0);
    expect(cadastre(['plan', v1, '--want', 'pasid', '--out', pasidAlone]).status).toBe(0);
  });
  const json = (args: readonly string[]): Record<string, unknown> =>
    JSON.parse(cadastre([...args, '--json']).stdout) as Record<string, unknown>;

  it('are planned with every reason', () => {
    expect(json(['plan', v1, '--want', 'pasid,pri'])).toMatchObject({
      schema: 'cadastre.plan/1', refusals: [], layout: { format: 'cadastre.layout/1' },
      placements: [{ name: 'pasid', strategy: 'gap', explanation: {} }, { name: 'pri' }] });
  });

  (hasLspci ? it : it.skip)(`are read by lspci${hasLspci ? '' : ' (skipped: not installed)'}`, () => {
    const { guestConfigSpace } = json(['plan', v1, '--want', 'pasid']) as { guestConfigSpace: { lspci: string } };
    const file = join(directory.path, 'guest.lspci');
    writeFileSync(file, guestConfigSpace.lspci);
    const shown = execFileSync('lspci', ['-F', file, '-vvv'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    expect(shown).toMatch(/\[134 v1\] Process Address Space ID/);
  });

  it('end with 1 when a wanted capability has no place', () => {
    const policy = join(directory.path, 'policy.json');
    writeFileSync(policy, '{"pinned":{"pasid":"0x100"}}');
    const { status, stdout } = cadastre(['plan', v1, '--policy', policy, '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ placements: [], refusals: [{ name: 'pasid', kind: 'no-place',
      refused: [{ strategy: 'pinned', because: { kind: 'offset-occupied', by: 'AER' } }] }] });
    writeFileSync(policy, '{"pinned":{"pasid":"x"}}');
    expect(cadastre(['plan', v1, '--policy', policy]).stderr).toContain('/pinned/pasid must be a whole number');
  });

  it('are compared', () => {
    expect(cadastre(['diff', v1, v1])).toMatchObject({ status: 0, stdout: '' });
    const { status, stdout } = cadastre(['diff', v1, v2]);
    expect([status, stdout.split('\n').slice(0, 2)]).toEqual([1, ['revision: 0x1 | 0x2', 'PTM: - | 0x134']]);
    expect(json(['diff', layout, v1])).toMatchObject({ same: false });
  });

  it('are judged before a migration', () => {
    expect(cadastre(['verdict', layout, v1]).stdout).toMatch(/^obeys/);
    const { status, stdout } = cadastre(['verdict', layout, v2, '--vmm', 'qemu-11.0', '--max-pasid-log2', '16']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/PASID at 0x134 would lie over PTM at 0x134/);
    expect(stdout).toMatch(/maxPasidWidth of the IOMMU is 20, there 16/);
    const unknown = cadastre(['verdict', layout, v1, '--vmm', 'qemu-11']);
    expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining('Known VMMs: qemu-7.2, ')]);
    expect(json(['verdict', pasidAlone, v1, '--vmm', 'qemu-11.0'])).toMatchObject({ vmm: 'qemu-11.0', revision: 1,
      knobs: [{ knob: 'x-vpasid-cap-offset', value: 0x134 }] });
  });

  it('are turned into what to set, from a file or standard input', () => {
    const { status, stdout } = cadastre(['knobs', pasidAlone, '--vmm', 'qemu-11.0', '--host-bdf', '0000:3b:00.1']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^qemu-11\.0\/1 obeys-with-knob\n {2}PASID at 0x134\n {2}set x-vpasid-cap-offset=0x134\n/);
    expect(stdout).toMatch(/^ {2}default 0xff8: /m);
    expect(stdout).toMatch(/ssidsize=20 -device vfio-pci,.*host=0000:3b:00\.1,.*x-vpasid-cap-offset=0x134/);
    expect(stdout).toMatch(/libvirt-xml \(libvirt marks the domain as tainted/);
    expect(cadastre(['knobs', '-', '--vmm', 'generic'], readFileSync(layout)).stdout).toMatch(/^generic\/1 exact/);
  });

  it('cannot be shown by every VMM: it ends with 1 and says what the guest finds instead', () => {
    const { status, stdout } = cadastre(['knobs', layout, '--vmm', 'cloud-hypervisor-new', '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'cadastre.knobs/1', verdict: 'cannot-obey', unmet: [
      { kind: 'not-made', insteadOffset: 0xff8, rule: 'C8' }, { kind: 'not-made', insteadOffset: null }] });
    expect(cadastre(['knobs', layout, '--vmm', 'qemu-11.0']).stdout)
      .toMatch(/! 0x154 not-made: PRI: .*that of the hardware \(K8\) \(Q14, V\)\n {4}the guest finds it nowhere/);
  });

  it('are not obeyed where the VMM hides what they list: it ends with 1', () => {
    const igb = join(root, 'samples', 'igb-pf.lspci');
    const file = join(directory.path, 'igb.json');
    cadastre(['plan', igb, '--want', '', '--out', file]);
    const { status, stdout } = cadastre(['knobs', file, '--vmm', 'qemu-11.0', '--dump', igb]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^qemu-11\.0\/1 cannot-obey\n/);
    expect(stdout).toMatch(/! 0x150 not-shown: ARI is in the layout, .*\(Q11, V\)\n {2}! 0x160 not-shown: SRIOV/);
  });

  it('are worn and shared', () => {
    expect(json(['persona', 'fit', layout, v2])).toMatchObject({ schema: 'cadastre.fit/1', fits: true });
    expect(json(['persona', 'baseline', v1, v2])).toMatchObject({ replaced: [{ field: 'revision' }] });
    expect(cadastre(['persona', 'baseline', v1, join(root, 'samples', 'xhci.lspci')]).status).toBe(1);
  });

  it('explain any byte', () => {
    expect(cadastre(['explain', layout, '--byte', '0x139']).stdout).toMatch(/it is byte 5 of PASID \(synthetic\)/);
    writeFileSync(join(directory.path, 'bad.json'), readFileSync(layout, 'utf8').replace('planner/1', 'planner/2'));
    expect(cadastre(['explain', join(directory.path, 'bad.json'), '--byte', '0'])).toMatchObject({ status: 1 });
  });
});
