import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cadastre, LedgerProcess, root, temporaryDirectory } from './ledger-process.js';
import { nvmeVf, sampleIndex, sampleLook } from './samples.js';

const lspci = spawnSync('lspci', ['--version']).status === 0;
const itWithLspci = lspci ? it : it.skip;
const because = lspci ? '' : ' (skipped: no lspci is installed; package pciutils)';

/** Everything but the root port: bridges are not assigned. */
const assignable = sampleIndex.functions.filter(({ file }) => file !== 'root-port.lspci');

describe('the samples', () => {
  const directory = temporaryDirectory();
  let ledger: LedgerProcess;
  beforeAll(async () => {
    ledger = await LedgerProcess.start(directory.path);
    for (const { file } of sampleIndex.functions) {
      expect((await ledger.post('/v1/functions', file, sampleLook(file))).status).toBe(201);
    }
  });
  afterAll(async () => {
    await ledger.stop('SIGTERM');
    directory.remove();
  });

  it('are all registered and listed', async () => {
    const { functions } = (await ledger.get('/v1/functions')).body as { functions: readonly unknown[] };
    expect(functions).toHaveLength(sampleIndex.functions.length);
  });

  it.each(assignable.map(({ file, address }) => [file, address]))(
    '%s gets a PASID capability, and every byte but patches stays', async (file, address) => {
      const path = `/v1/vms/vm-${file.replace('.lspci', '')}/devices/d`;
      const body = { ...nvmeVf, function: { host: 'host-a', address } };
      const attached = await ledger.post(`${path}/attach`, `attach-${file}`, body);
      expect(attached.status).toBe(201);
      const text = (await ledger.get(`${path}/config-space`)).body as string;
      const decoded = cadastre(['decode', '-', '--json'], text);
      expect(decoded.status).toBe(0);
      const { functions: [guest] } = JSON.parse(decoded.stdout) as {
        functions: readonly { capabilities: readonly { name: string; offset: number }[] }[];
      };
      const { layout } = attached.body as { layout: { placements: readonly { offset: number }[] } };
      expect(guest?.capabilities.filter((one) => one.name === 'PASID').map((one) => one.offset))
        .toEqual([layout.placements[0]?.offset]);
    });

  it('that are bridges are refused: vfio-pci does not bind them', async () => {
    const body = { ...nvmeVf, function: { host: 'host-a', address: '0000:00:01.0' } };
    const reply = await ledger.post('/v1/vms/vm-port/devices/d/attach', 'attach-port', body);
    expect([reply.status, (reply.body as { code: string }).code]).toEqual([422, 'function-not-assignable']);
  });

  itWithLspci(`are read by lspci with the capability where it was decided${because}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cadastre-lspci-'));
    for (const { file } of assignable) {
      const path = `/v1/vms/vm-${file.replace('.lspci', '')}/devices/d`;
      const { layout } = (await ledger.get(path)).body as { layout: { placements: readonly { offset: number }[] } };
      const dump = join(folder, file);
      writeFileSync(dump, (await ledger.get(`${path}/config-space`)).body as string);
      const { stdout, stderr } = spawnSync('lspci', ['-F', dump, '-vvv'], { encoding: 'utf8' });
      const original = spawnSync('lspci', ['-F', join(root, 'samples', file), '-vvv'], { encoding: 'utf8' });
      const at = (layout.placements[0]?.offset ?? 0).toString(16);
      expect(stdout).toMatch(new RegExp(`Capabilities: \\[${at} v1\\] Process Address Space ID \\(PASID\\)`));
      expect(stdout).toContain('Max PASID Width: 10');
      // No complaint that the original did not cause as well.
      expect(stderr).toBe(original.stderr);
    }
    rmSync(folder, { recursive: true });
  });

  it('show how version 2 of a card, once it was seen, keeps version 1 from a place that could not follow', async () => {
    const placed = async (vm: string): Promise<number | undefined> => {
      const { body } = await ledger.get(`/v1/vms/${vm}/devices/d`);
      return (body as { layout: { placements: readonly { offset: number }[] } }).layout.placements[0]?.offset;
    };
    // Alone, version 1 has its lowest free place at 0x134, where version 2 has PTM.
    expect([await placed('vm-nic-v1'), await placed('vm-nic-v2')]).toEqual([0x154, 0x154]);
    const path = '/v1/vms/vm-nic-v2/devices/d';
    await ledger.post(`${path}/detach`, 'detach-v2', {}, { 'if-match': '"1"' });
    const pinned = await ledger.post(`${path}/attach`, 'pin-v1', {
      ...nvmeVf, function: { host: 'host-a', address: sampleIndex.functions.find(({ file }) =>
        file === 'nic-v2.lspci')?.address }, policy: { pinned: { pasid: '0x134' } },
    }, { 'if-match': '"2"' });
    expect(pinned.status).toBe(422);
    expect(pinned.body).toMatchObject({ code: 'no-place', detail: expect.stringContaining('meets PTM at') as unknown });
  });
});

describe('one ledger directory', () => {
  it('belongs to one server at a time; the second says so and what to do', async () => {
    const directory = temporaryDirectory();
    const first = await LedgerProcess.start(directory.path);
    const second = cadastre(['serve', '--data', directory.path, '--port', '0']);
    expect(second.status).toBe(4);
    expect(second.stderr).toMatch(/cannot open the ledger/);
    expect(await first.stop('SIGTERM')).toBe(0);
    directory.remove();
  });
});

describe('npm start', () => {
  it('shows a decided layout with its reason, and a second start finds the first one\'s record', async () => {
    const directory = temporaryDirectory();
    const first = await LedgerProcess.start(directory.path, 'demo');
    const device = (await first.get('/v1/vms/demo-vm/devices/nvme0')).body;
    expect(device).toMatchObject({ state: 'attached', layout: { grants: [{ widthBits: 16, clampedFrom: 20 }] } });
    expect(await first.stop('SIGTERM')).toBe(0);
    const second = await LedgerProcess.start(directory.path, 'demo');
    expect((await second.get('/v1/vms/demo-vm/devices/nvme0')).body).toEqual(device);
    const detached = await second.post('/v1/vms/demo-vm/devices/nvme0/detach', 'by-hand', {}, { 'if-match': '"1"' });
    expect(detached.status).toBe(200);
    await second.stop('SIGTERM');
    const third = await LedgerProcess.start(directory.path, 'demo');
    expect((await third.get('/v1/vms/demo-vm/devices/nvme0')).body).toMatchObject({ state: 'detached' });
    await third.stop('SIGTERM');
    directory.remove();
  });
});
