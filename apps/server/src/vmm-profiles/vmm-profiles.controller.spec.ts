import { createHash } from 'node:crypto';
import { look, sample, TestServer } from '../testing.js';

const lspci = (name: string) => ({ configSpace: { encoding: 'lspci', data: sample(name) } });
const kernel = { release: '7.2.13', flavour: 'upstream' };
const iommu = { maxPasidLog2: 16, exec: false, priv: true, atsSupported: true };
const nic = { ...lspci('nic-v1'), kernel, iommu };
interface Guest { readonly digest: string; readonly base64: string; readonly lspci: string; readonly size: number }

describe('VMM profiles over HTTP', () => {
  let server: TestServer;
  let layout: object;
  beforeAll(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look());
    const { body } = await server.post('/v1/layouts/plan', { ...lspci('nic-v1'), iommu, capabilities: ['pasid'] });
    layout = body['layout'] as object;
  });
  afterAll(() => server.close());

  it('are listed with what each hides, makes, takes and does', async () => {
    const { status, body } = await server.get('/v1/vmm-profiles');
    expect(status).toBe(200);
    expect(body['profiles']).toHaveLength(10);
    expect(body['kernels']).toContainEqual(expect.objectContaining({
      name: 'linux-vfio-6.1', revision: 1, evidence: 'observed', showsDvsec: false }));
    expect(body['kernels']).toHaveLength(8);
    expect(body['profiles']).toContainEqual(expect.objectContaining({
      name: 'qemu-11.0', revision: 1, evidence: 'read',
      hides: { ids: [0, 0x10, 0x0e], leaves: 'unlinked; at 0x100 a header with ID 0' },
      pasid: { kind: 'setting', setting: 'x-vpasid-cap-offset', implicitOffset: 0xff8 }, failureMode: 'silent',
      because: { hides: 'Q11', makesNoStandard: 'Q6', makesNoExtended: 'Q14' },
      ports: ['root-port', 'root-bus', 'pci-bridge', 'conventional-root'],
      migration: expect.objectContaining({ kind: 'compares-bytes', rule: 'Q22' }) as unknown,
      settings: expect.objectContaining(
        { 'x-vpasid-cap-offset': { kind: 'number', min: 0, max: 0xffff, rule: 'Q15' } }) as unknown,
    }));
  });

  it('predict a guest: bytes, lists, findings with rule and confidence, and what a migration does', async () => {
    const before = await server.events();
    const { status, body } = await server.post('/v1/layouts/predict', {
      ...nic, vmm: 'qemu-11.0', knobs: { settings: { 'x-vpasid-cap-offset': '0x300' } } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      profile: { name: 'qemu-11.0', revision: 1 }, outcome: { kind: 'starts' }, failureMode: 'silent',
      migration: { kind: 'compares-bytes', rule: 'Q22', confidence: 'V' } });
    expect(body['findings']).toContainEqual(expect.objectContaining({ kind: 'pasid-made', rule: 'Q14', confidence: 'V',
      offset: 0x300 }));
    expect(body['writeThrough']).toContainEqual(
      { offset: 0x300, length: 8, rule: 'Q20', confidence: 'D', underSynthetic: true });
    const { base64, digest, lspci: text, size } = body['guestConfigSpace'] as Guest;
    const bytes = Buffer.from(base64, 'base64');
    expect([size, bytes.length]).toEqual([4096, 4096]);
    expect(digest).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    expect(bytes.readUInt32LE(0x304)).toBe(0x1004);
    expect(text).toMatch(/^300: 1b 00 01 00 04 10 00 00/m);
    expect(await server.events()).toBe(before);
  });

  it('predict for a function of the ledger on the kernel it was observed on, or on another', async () => {
    const of = { function: { host: 'host-a', address: '0000:03:00.0' }, vmm: 'qemu-11.0' };
    const kinds = async (change: object): Promise<readonly string[]> => {
      const { body } = await server.post('/v1/layouts/predict', { ...of, ...change });
      return (body['findings'] as { kind: string }[]).map(({ kind }) => kind);
    };
    const [observed, older] = [await kinds({}), await kinds({ kernel: { release: '5.4', flavour: 'upstream' } })];
    expect(observed).toContain('implicit-offset');
    expect(older.filter((kind) => !observed.includes(kind))).toEqual(['vfio-kernel-not-observed']);
  });

  it('predict a VF with the IDs its PF tells', async () => {
    for (const [name, address, sriov] of [['igb-pf', '0000:02:00.0', { role: 'pf' }],
      ['igb-vf', '0000:02:10.2', { role: 'vf', pf: '0000:02:00.0' }]] as const) {
      await server.post('/v1/functions', look({ address, sriov, configSpace: lspci(name).configSpace }));
    }
    const { body } = await server.post('/v1/layouts/predict', {
      function: { host: 'host-a', address: '0000:02:10.2' }, vmm: 'crosvm' });
    expect((body['guestConfigSpace'] as Guest).lspci).toMatch(/^00: 86 80 ca 10 /m);
  });

  it('predict what a VMM refuses as an outcome, without bytes', async () => {
    const { status, body } = await server.post('/v1/layouts/predict', { ...lspci('root-port'), kernel, vmm: 'crosvm' });
    expect([status, body['guestConfigSpace']]).toEqual([200, null]);
    expect(body).toMatchObject({ outcome: { kind: 'refused', rule: 'reading C8', confidence: 'V' } });
  });

  it('show the patches of a document where the VMM obeys one', async () => {
    const { body } = await server.post('/v1/layouts/predict', { ...nic, vmm: 'generic',
      knobs: { patches: [{ offset: '0x104', mask: 0xffffffff, value: 0x12345678 }] } });
    expect((body['guestConfigSpace'] as Guest).lspci).toMatch(/^100: .. .. .. .. 78 56 34 12/m);
  });

  it('say what to set so that a layout is shown, or that it cannot be', async () => {
    const names = { hostBdf: '3b:00.1', device: 'nic0', bus: 'rp1', iommufd: 'iommufd7' };
    const obeyed = await server.post('/v1/layouts/knobs', { layout, vmm: 'qemu-11.0', names });
    expect(obeyed.body).toMatchObject({ verdict: 'obeys-with-knob', settings: { 'x-vpasid-cap-offset': '0x134' },
      wanted: [{ name: 'PASID', offset: 0x134 }], implicitDefault: { offset: 0xff8 } });
    expect((obeyed.body['configuration'] as { text: string }[])[0]?.text)
      .toMatch(/ssidsize=16 .*host=0000:3b:00\.1,bus=rp1,iommufd=iommufd7,x-vpasid-cap-offset=0x134$/);
    expect((await server.post('/v1/layouts/knobs', { layout, vmm: 'cloud-hypervisor-new' })).body).toMatchObject({
      verdict: 'cannot-obey',
      unmet: [{ kind: 'not-made', rule: 'C8', confidence: 'V', insteadOffset: 0xff8 }] });
  });

  it('take name and version of a VMM as an attach does', async () => {
    for (const vmm of [{ name: 'qemu', version: '11.0.2' }, { name: 'qemu-11.0' }, 'qemu-11.0.2']) {
      expect((await server.post('/v1/layouts/predict', { ...nic, vmm })).body)
        .toMatchObject({ profile: { name: 'qemu-11.0' }, assumed: [] });
      expect((await server.post('/v1/layouts/knobs', { layout, vmm })).body)
        .toMatchObject({ verdict: 'obeys-with-knob', profile: { name: 'qemu-11.0' } });
    }
    expect((await server.post('/v1/layouts/predict', { ...nic, vmm: { name: 'qemu', version: '8.2' } })).body)
      .toMatchObject({ profile: { name: 'qemu-7.2' }, assumed: [expect.stringContaining('nobody looked at')] });
  });

  it('judge the whole layout: an ID it replaces, and AER that QEMU shows all the same', async () => {
    const operations = [{ kind: 'replace-identity', field: 'deviceId', value: 0x1234, reason: 'v1' },
      { kind: 'hide-capability', space: 'extended', id: 1, offset: null, reason: 'policy' }];
    const planned = await server.post('/v1/layouts/plan',
      { ...lspci('nic-v1'), capabilities: [], policy: { operations } });
    const asked = { layout: planned.body['layout'], vmm: 'qemu-11.0' };
    expect((await server.post('/v1/layouts/knobs', { ...asked, ...lspci('nic-v1'), kernel })).body).toMatchObject({
      verdict: 'cannot-obey', settings: { 'x-pci-device-id': '0x1234' },
      unmet: [{ kind: 'shown-unasked', offset: 0x100, says: 'ID 0x1 is shown, though the layout hides it' }] });
    expect((await server.post('/v1/layouts/knobs', asked)).body).toMatchObject({ verdict: 'cannot-obey',
      unmet: [{ kind: 'hardware-not-told' }], assumed: ['the hardware is what the document tells of it'] });
  });

  it('judge capabilities of the hardware too: no VMM shows ARI and SR-IOV of a PF', async () => {
    const { body } = await server.post('/v1/layouts/plan', { ...lspci('igb-pf'), capabilities: [] });
    expect((await server.post('/v1/layouts/knobs', { layout: body['layout'], vmm: 'qemu-11.0', ...lspci('igb-pf'),
      kernel })).body).toMatchObject({ verdict: 'cannot-obey', unmet: [
      { kind: 'not-shown', offset: 0x150, rule: 'Q11' }, { kind: 'not-shown', offset: 0x160, rule: 'Q11' }] });
  });

  it('write down what is set anyway, and refuse what the VMM does not take', async () => {
    const knobs = { port: 'root-bus', settings: { rombar: 0 } };
    const { body } = await server.post('/v1/layouts/knobs', { layout, vmm: 'qemu-11.0', knobs });
    expect((body['configuration'] as { text: string }[])[0]?.text).toMatch(/bus=pcie\.0,.*rombar=0/);
    const wrong = await server.post('/v1/layouts/knobs',
      { layout, vmm: 'qemu-11.0', knobs: { settings: { rombar: 2 } } });
    expect(wrong.body).toMatchObject({ errors: [{ pointer: '/knobs/settings/rombar' }] });
  });

  it('predict a function without an interrupt', async () => {
    const { body } = await server.post('/v1/layouts/predict', { ...nic, vmm: 'qemu-11.0', hasInterrupt: false });
    expect((body['guestConfigSpace'] as Guest).lspci).toMatch(/^30: (.. ){13}00 /m);
  });

  it('ask nothing of a VMM for what the hardware of the host shows', async () => {
    const over = { function: { host: 'host-a', address: '0000:03:00.0' } };
    expect((await server.post('/v1/layouts/knobs', { ...over, layout, vmm: 'qemu-7.2' })).body)
      .toMatchObject({ verdict: 'cannot-obey' });
    const bytes = Buffer.from(((await server.post('/v1/layouts/predict', { ...nic, vmm: 'qemu-11.0',
      knobs: { settings: { 'x-vpasid-cap-offset': 0x134 } } })).body['guestConfigSpace'] as Guest).base64, 'base64');
    const shown = { configSpace: { encoding: 'base64', data: bytes.toString('base64') },
      kernel: { release: '6.12', flavour: 'nvidia' } };
    expect((await server.post('/v1/layouts/knobs', { ...shown, layout, vmm: 'qemu-7.2' })).body)
      .toMatchObject({ verdict: 'exact', wanted: [] });
  });

  it.each<[string, string, object]>([
    ['/vmm', '/v1/layouts/predict', { ...nic, vmm: 'qemu-9' }],
    ['/vmm', '/v1/layouts/predict', nic],
    ['/vmm', '/v1/layouts/predict', { ...nic, vmm: { name: 'qemu', version: 'x' } }],
    ['/vmm/name', '/v1/layouts/predict', { ...nic, vmm: {} }],
    ['/vmm', '/v1/layouts/knobs', { layout: {}, vmm: 'toString' }],
    ['/kernel', '/v1/layouts/predict', { ...lspci('nic-v1'), vmm: 'crosvm' }],
    ['/kernel/release', '/v1/layouts/predict', { ...nic, vmm: 'crosvm', kernel: { ...kernel, release: '' } }],
    ['/knobs/port', '/v1/layouts/predict', { ...nic, vmm: 'crosvm', knobs: { port: 'x' } }],
    ['/knobs/settings/a~1b', '/v1/layouts/predict', { ...nic, vmm: 'crosvm', knobs: { settings: { 'a/b': '1' } } }],
    ['/knobs/settings/ats', '/v1/layouts/predict', { ...nic, vmm: 'qemu-11.1', knobs: { settings: { ats: null } } }],
    ['/knobs/settings/rombar', '/v1/layouts/predict', { ...nic, vmm: 'qemu-7.2', knobs: { settings: { rombar: 2 } } }],
    ['/knobs/patches', '/v1/layouts/predict', { ...nic, vmm: 'crosvm', knobs: { patches: [] } }],
    ['/knobs/patches/0/offset', '/v1/layouts/predict', { ...nic, vmm: 'generic',
      knobs: { patches: [{ offset: 2, mask: 1, value: 1 }] } }],
    ['/barSizesBytes', '/v1/layouts/predict', { ...nic, vmm: 'crosvm', barSizesBytes: [-1] }],
    ['', '/v1/layouts/predict', { vmm: 'crosvm', kernel }],
    ['/layout/planner', '/v1/layouts/knobs', { layout: { format: 'cadastre.layout/1' }, vmm: 'crosvm' }],
    ['/names/hostBdf', '/v1/layouts/knobs', { layout: {}, vmm: 'crosvm', names: { hostBdf: 1 } }],
    ['/names/bus', '/v1/layouts/knobs', { layout: {}, vmm: 'crosvm', names: { bus: 'a b' } }],
  ])('refuse with the JSON Pointer %p', async (pointer, url, body) => {
    const reply = await server.post(url, body);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ code: 'request-invalid', errors: [{ pointer }] });
  });

  it('refuse an unknown VMM by naming those there are', async () => {
    const { body } = await server.post('/v1/layouts/predict', { ...nic, vmm: 'qemu-9' });
    expect(JSON.stringify(body['errors'])).toMatch(/qemu-7\.2, .*cloud-hypervisor-new, .*generic/);
  });

  it('say what is guessed about a kernel that nobody looked at', async () => {
    const assumed = async (flavour: string): Promise<unknown> => (await server.post('/v1/layouts/predict', {
      ...nic, vmm: 'qemu-11.1', kernel: { ...kernel, flavour } })).body['assumed'];
    expect(await assumed('acme')).toEqual(['the kernel flavour is taken for upstream']);
    expect(await assumed('upstream')).toEqual([]);
  });
});
