import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cadastre, LedgerProcess, root, temporaryDirectory } from './ledger-process.js';
import { sampleLook } from './samples.js';

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

  const policyWith = (text: string): string => {
    const file = join(directory.path, 'policy.json');
    writeFileSync(file, text);
    return file;
  };

  it('end with 1 when a wanted capability has no place', () => {
    const { status, stdout } = cadastre(['plan', v1, '--policy', policyWith('{"pinned":{"pasid":"0x100"}}'), '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ placements: [], refusals: [{ name: 'pasid', kind: 'no-place',
      refused: [{ strategy: 'pinned', because: { kind: 'offset-occupied', by: 'AER' } }] }] });
  });

  it('end with 1 when an attach would not be granted a capability; the rest is placed', () => {
    const wanted = ['plan', v1, '--want', 'pasid,ats,dsn,acs', '--max-pasid-log2', '0', '--no-ats'];
    const { status, stdout, stderr } = cadastre(wanted);
    expect([status, stderr]).toEqual([1, 'cadastre: refused: pasid, ats, dsn\n']);
    expect(stdout).toMatch(/^acs +0x[^]*^pasid refused: the host IOMMU reports maxPasidLog2 = 0/m);
    expect(stdout).toMatch(/^dsn refused: nothing but the request tells/m);
    expect(json(wanted)).toMatchObject({ placements: [{ name: 'acs' }], refusals: [
      { name: 'pasid', kind: 'pasid-not-supported' }, { name: 'ats', kind: 'ats-not-supported' },
      { name: 'dsn', kind: 'registers-missing' }] });
  });

  it('take the content of a capability that nothing else tells', () => {
    const registers = ['--registers', 'dsn.serialNumber=0x0123456789abcdef', '--registers', 'dvsec.dvsecId=3'];
    expect(json(['plan', v1, '--want', 'dsn,dvsec', ...registers])).toMatchObject({ refusals: [], placements: [
      { registers: { serialNumberLower: 0x89abcdef, serialNumberUpper: 0x01234567 } },
      { registers: { dvsecId: 3 } }] });
    expect(json(['plan', v1, '--want', 'dsn', '--registers', 'dsn.colour=1'])).toMatchObject({ refusals: [
      { kind: 'register-unknown', field: 'colour' }] });
    for (const wrong of ['dsn', 'dsn.x', 'pasid.width=3', 'dsn.x=y']) {
      expect(cadastre(['plan', v1, '--want', 'dsn', '--registers', wrong]).status).toBe(2);
    }
    expect(cadastre(['plan', v1, '--registers', 'dsn.serialNumber=1'])).toMatchObject({
      status: 2, stderr: expect.stringContaining('which is not wanted') as unknown });
  });

  it('say why there is none, though nothing is wanted', () => {
    const impossible = policyWith('{"operations":[{"kind":"hide-capability","space":"extended","id":1911}]}');
    const { status, stdout } = cadastre(['plan', v1, '--want', '', '--policy', impossible]);
    expect([status, stdout]).toEqual([1, expect.stringContaining('the hardware lists no extended capability 0x0777')]);
    expect(json(['plan', v1, '--want', '', '--policy', impossible])).toMatchObject({ layout: null, refusals: [
      { name: null, kind: 'operation-impossible' }] });
  });

  it('count captures of the same model as evidence, and name the others', () => {
    const xhci = join(root, 'samples', 'xhci.lspci');
    const { stderr, stdout } = cadastre(['plan', v1, '--evidence', v2, xhci, '--json']);
    expect(stderr).toMatch(/^\S+xhci\.lspci 0000:06:00\.0 is 1b36:000d, not 8086:10d3: no evidence, left out\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ layout: { evidence: { looked: 1 } } });
  });

  it('follow the physical function of a VF, and say when it was not told', () => {
    const [vf, pf] = ['nvme-vf', 'nvme-pf'].map((name) => join(root, 'samples', `${name}.lspci`)) as [string, string];
    expect(cadastre(['plan', vf, '--role', 'vf']).stderr).toMatch(/the place of the physical function .* is not known/);
    expect(cadastre(['plan', vf, '--pf', pf])).toMatchObject({ status: 0, stderr: '' });
    expect(json(['plan', vf, '--pf', pf])).toMatchObject({ layout: { identity: { vendorId: '0x1b36' } } });
    expect(cadastre(['plan', vf, '--role', 'none', '--pf', pf]).status).toBe(2);
    expect(cadastre(['predict', vf, '--vmm', 'crosvm', '--pf', pf, '--lspci']).stdout).toMatch(/^00: 36 1b 10 00/m);
  });

  it('follow the places of a layout, which has the name of its file', () => {
    expect(cadastre(['plan', v1, '--want', 'pasid', '--persona', layout]).stdout)
      .toMatch(/persona layout@1 has it here/);
  });

  it('end with 2 when a file is no policy, or no layout', () => {
    for (const text of ['{"pinned":{"pasid":"x"}}', '{', '[]', '{"colour":1}']) {
      expect(cadastre(['plan', v1, '--policy', policyWith(text)]).status).toBe(2);
    }
    expect(cadastre(['plan', v1, '--policy', policyWith('{"pinned":{"pasid":"x"}}')]).stderr)
      .toContain('/pinned/pasid must be a whole number');
    const bad = join(directory.path, 'bad.json');
    writeFileSync(bad, readFileSync(layout, 'utf8').replace('planner/1', 'planner/2'));
    for (const args of [['explain', bad, '--byte', '0'], ['diff', bad, v1], ['verdict', bad, v1],
      ['knobs', bad, '--vmm', 'generic'], ['persona', 'fit', bad, v1], ['plan', v1, '--persona', bad]]) {
      expect([args[0], cadastre(args).status]).toEqual([args[0], 2]);
    }
  });

  it('are compared', () => {
    expect(cadastre(['diff', v1, v1])).toMatchObject({ status: 0, stdout: '' });
    const { status, stdout } = cadastre(['diff', v1, v2]);
    expect([status, stdout.split('\n').slice(0, 2)]).toEqual([1, ['revision: 0x1 | 0x2', 'PTM: - | 0x134']]);
    expect(json(['diff', layout, v1])).toMatchObject({ same: false });
  });

  it('are compared from standard input, which is read once', () => {
    expect(cadastre(['diff', '-', layout], readFileSync(layout))).toMatchObject({ status: 0 });
    expect(cadastre(['diff', v1, '-'], readFileSync(v1))).toMatchObject({ status: 0 });
    expect(cadastre(['diff', '-', '-'], readFileSync(v1))).toMatchObject({ status: 2,
      stderr: expect.stringContaining('standard input (-) can be named once') as unknown });
  });

  it('are compared function by function, where a dump has several', () => {
    const both = join(directory.path, 'both.lspci');
    writeFileSync(both, `${readFileSync(v1, 'utf8')}\n${readFileSync(v2, 'utf8')}`);
    expect(cadastre(['diff', both, v1])).toMatchObject({ status: 2,
      stderr: expect.stringContaining('has 0000:07:00.0, 0000:08:00.0: name one with --function') as unknown });
    expect(cadastre(['diff', both, v1, '--function', '07:00.0'])).toMatchObject({ status: 0 });
    expect(cadastre(['diff', both, both, '--function', '07:00.0']).status).toBe(0);
    expect(cadastre(['diff', v2, both, '--function', '0000:08:00.0']).status).toBe(0);
    expect(cadastre(['diff', both, both, '--function', '07:00.0', '--function-b', '08:00.0']).status).toBe(1);
    expect(cadastre(['diff', v1, both, '--function', '07:00.0', '--function-b', '09:00.0']).status).toBe(3);
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
      explanation: expect.arrayContaining(['obeys']) as unknown,
      knobs: [{ knob: 'x-vpasid-cap-offset', value: 0x134 }] });
  });

  it('are judged in lines a person can read: of many bytes that differ the first are told', () => {
    const other = join(root, 'samples', 'igb-pf.lspci');
    const asked = ['verdict', layout, other, '--vmm', 'qemu-11.0'];
    const { stdout } = cadastre(asked);
    const lines = stdout.split('\n').filter((line) => / read .*, there /.test(line));
    expect(lines).toHaveLength(8);
    expect(stdout).toMatch(/\n\d+ further ranges of bytes differ; --json tells all\n$/);
    const told = json(asked) as { reasons: { kind: string }[]; explanation: string[] };
    const bytes = told.reasons.filter(({ kind }) => kind === 'bytes-differ').length;
    expect(bytes).toBeGreaterThan(8);
    expect(told.explanation.filter((line) => / read .*, there /.test(line))).toHaveLength(bytes);
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
    expect(json(['explain', layout, '--byte', '313'])).toMatchObject({ schema: 'cadastre.explain/1', offset: 0x139,
      owner: 'PASID', by: 'planner', rule: 'gap', event: null, considered: expect.any(Array) as unknown });
    expect(cadastre(['explain', layout, '--byte', '0', '--at', '3']).status).toBe(2);
    expect(cadastre(['explain', '--byte', '0']).status).toBe(2);
  });

  it('know of the IOMMU at the destination whatever is told, and not half of it', () => {
    const ats = join(directory.path, 'ats.json');
    cadastre(['plan', v1, '--want', 'ats', '--out', ats]);
    expect(cadastre(['verdict', ats, v1, '--max-pasid-log2', '20']).status).toBe(0);
    expect(cadastre(['verdict', ats, v1, '--max-pasid-log2', '20', '--no-ats'])).toMatchObject({ status: 1,
      stdout: expect.stringContaining('ATS') as unknown });
    expect(cadastre(['verdict', ats, v1, '--no-ats'])).toMatchObject({ status: 2,
      stderr: expect.stringContaining('--max-pasid-log2 is missing') as unknown });
  });

  it('explain a byte of a device of a ledger by the event that put it there', async () => {
    const data = temporaryDirectory();
    const ledger = await LedgerProcess.start(data.path);
    await ledger.post('/v1/functions', 'look', sampleLook('nic-v1.lspci'));
    await ledger.post('/v1/vms/vm-1/devices/nic/attach', 'attach', {
      function: { host: 'host-a', address: '0000:07:00.0' }, capabilities: ['pasid'] });
    const asked = ['explain', '--server', ledger.url, '--vm', 'vm-1', '--device', 'nic', '--byte', '0x138'];
    const { status, stdout } = cadastre(asked);
    expect([status, stdout]).toEqual([0, expect.stringMatching(
      /^0x138 reads 0x\S+\nit is byte 4 of PASID[^]*put there by LayoutDecided, device-vm-1\/nic@1, position 3, /)]);
    expect(json([...asked, '--at', '3'])).toMatchObject({ schema: 'cadastre.explain/1', vm: 'vm-1', rule: 'gap',
      event: { type: 'LayoutDecided', revision: 1 } });
    expect(cadastre([...asked, '--at', '1']).status).toBe(3);
    expect(cadastre([...asked, '--at', 'yesterday']).status).toBe(2);
    await ledger.stop('SIGTERM');
    data.remove();
  });
});
