import { look, sample, TestServer } from '../testing.js';

const lspci = (name: string) => ({ configSpace: { encoding: 'lspci', data: sample(name) } });
type Document = { readonly format: string; readonly capabilities: readonly { readonly offset: string }[] };

describe('layouts over HTTP', () => {
  let server: TestServer;
  let layout: Document;
  beforeAll(async () => {
    server = await TestServer.open();
    const { body } = await server.post('/v1/layouts/plan', { ...lspci('nic-v1'), capabilities: ['pasid', 'pri'] });
    layout = body['layout'] as Document;
  });
  afterAll(() => server.close());

  it('plans capabilities by name, or as an attach asks for them', async () => {
    const plan = (capabilities: unknown) => server.post('/v1/layouts/plan', {
      configSpace: { encoding: 'lspci', data: sample('e1000e') }, capabilities });
    const named = await plan(['pasid', 'pri']);
    expect(named.body).toMatchObject({ placements: [{ name: 'pasid' }, { name: 'pri' }] });
    const dvsec = { name: 'dvsec', registers: { dvsecId: 3 } };
    const dsn = { name: 'dsn', registers: { serialNumber: '0x0123456789abcdef' } };
    const asked = await plan([{ name: 'pasid', width: 9 }, dsn, dvsec]);
    expect(asked.body).toMatchObject({
      placements: [{ name: 'pasid', registers: { maxPasidWidth: 9 } },
        { name: 'dsn', registers: { serialNumberLower: 0x89abcdef, serialNumberUpper: 0x01234567 } }, dvsec] });
    for (const wrong of [['warp'], [{ name: 'pasid', width: 99 }], [7], [[]], 'pasid', [null]]) {
      expect([(await plan(wrong)).status, wrong]).toEqual([400, wrong]);
    }
  });

  it('are planned without being recorded', async () => {
    const reply = await server.post('/v1/layouts/plan', {
      ...lspci('nic-v1'), capabilities: ['pasid', { name: 'nvidia-clique', registers: { clique: 1 } }],
      policy: { pinned: { pasid: '0x400' },
        strategies: ['pinned'] } });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      placements: [{ name: 'pasid', offset: 0x400, strategy: 'pinned', explanation: {} }],
      refusals: [{ name: 'nvidia-clique', kind: 'capability-not-for-function' }],
      layout: { format: 'cadastre.layout/1' } });
    expect(await server.events()).toBe(0);
  });

  it('are compared and judged', async () => {
    expect((await server.post('/v1/layouts/compare', { a: layout, b: layout })).body)
      .toEqual({ same: true, differences: [] });
    expect((await server.post('/v1/layouts/verdict', { layout, ...lspci('nic-v1') })).body)
      .toMatchObject({ verdict: 'obeys', unchecked: ['iommu'] });
    expect((await server.post('/v1/layouts/verdict', { layout, ...lspci('nic-v2'), vmm: 'qemu-11.0' })).body)
      .toMatchObject({ verdict: 'cannot', vmm: 'qemu-11.0', revision: 1 });
  });

  it('are shared by a fleet', async () => {
    const reply = await server.post('/v1/personas/baseline', { functions: [lspci('nic-v1'), lspci('nic-v2')] });
    expect(reply.body).toMatchObject({ layout: { format: 'cadastre.layout/1' }, replaced: [{ field: 'revision' }] });
    expect((await server.post('/v1/personas/baseline', { functions: [lspci('nic-v1'), lspci('xhci')] })).body)
      .toMatchObject({ status: 422, code: 'no-baseline' });
  });

  it.each<[string, string, object]>([
    ['/policy/pinned/x', '/v1/layouts/plan', { ...lspci('nic-v1'), capabilities: ['pasid'],
      policy: { pinned: { x: 1 } } }],
    ['/a/format', '/v1/layouts/compare', { a: { format: 'cadastre.layout/9' }, b: {} }],
    ['/layout/planner', '/v1/layouts/verdict', { layout: { format: 'cadastre.layout/1' }, ...lspci('nic-v1') }],
    ['', '/v1/layouts/plan', { capabilities: ['pasid'] }],
    ['/device', '/v1/layouts/plan', { ...lspci('nic-v1'), capabilities: [], vm: 'vm-1' }],
    ['/kernel', '/v1/layouts/plan', { ...lspci('nic-v1'), capabilities: [], vmm: { name: 'qemu', version: '11.0' } }],
    ['/role', '/v1/layouts/plan', { function: { host: 'host-a', address: '0000:03:00.0' }, capabilities: [],
      role: 'pf' }],
    ['/physicalFunction', '/v1/layouts/plan', { ...lspci('nic-v1'), capabilities: [],
      physicalFunction: lspci('igb-pf') }],
    ['/evidence/0', '/v1/layouts/plan', { ...lspci('nic-v1'), capabilities: [], evidence: [lspci('xhci')] }],
    ['/capabilities', '/v1/layouts/plan', { ...lspci('nic-v1'), capabilities: ['pasid'], persona: { name: 'x' } }],
    ['/vmm', '/v1/layouts/verdict', { layout: {}, ...lspci('nic-v1'), vmm: 'x' }],
  ])('are refused with the JSON Pointer %p', async (pointer, url, body) => {
    expect((await server.post(url, body)).body).toMatchObject({ code: 'request-invalid', errors: [{ pointer }] });
  });

  it('are published as personas whose versions never change', async () => {
    const url = '/v1/personas/nic-v1';
    expect((await server.get(url)).body).toMatchObject({ status: 404, code: 'persona-unknown' });
    const first = await server.put(url, { layout });
    expect([first.status, first.headers]).toMatchObject([201, { etag: '"0"', location: url }]);
    expect(first.body).toMatchObject({ name: 'nic-v1', version: 1, layout });
    expect((await server.put(url, { layout })).body).toMatchObject({ code: 'precondition-required' });
    expect((await server.put(url, { layout }, { 'if-match': '"0"' })).body)
      .toMatchObject({ code: 'persona-unchanged' });
    const { body } = await server.post('/v1/layouts/plan', { ...lspci('nic-v1'), capabilities: ['pasid'] });
    const second = await server.put(url, { layout: body['layout'] }, { 'if-match': '"0"' });
    expect(second.body).toMatchObject({ version: 2, versions: [{ version: 1 }, { version: 2 }] });
    expect((await server.get(`${url}?version=1`)).body).toMatchObject({ version: 1, layout });
    expect((await server.get(`${url}?version=7`)).body).toMatchObject({ code: 'persona-unknown' });
    expect((await server.get(url, { 'if-none-match': '"1"' })).status).toBe(304);
  });

  it('are worn by a device: the guest reads the persona, and replay needs no planner', async () => {
    await server.post('/v1/functions', look({ address: '0000:08:00.0', configSpace: {
      encoding: 'lspci', data: sample('nic-v2') }, iommu: { maxPasidLog2: 20, exec: true, priv: true,
      atsSupported: true } }));
    const wear = { function: { host: 'host-a', address: '0000:08:00.0' }, capabilities: [], persona: {
      name: 'nic-v1', version: 1 } };
    const attached = await server.post('/v1/vms/vm-1/devices/nic/attach', wear);
    expect(attached.status).toBe(201);
    expect(attached.body).toMatchObject({ layout: { placements: [
      { name: 'pasid', strategy: 'persona', reason: { persona: 'nic-v1@1' } }, { name: 'pri' }] } });
    const text = (await server.get('/v1/vms/vm-1/devices/nic/config-space')).text;
    expect(text).toMatch(/^00: ([0-9a-f]{2} ){8}01 /m);
    await server.post('/v1/functions', look());
    const misfit = { ...wear, function: { host: 'host-a', address: '0000:03:00.0' } };
    expect((await server.post('/v1/vms/vm-1/devices/nic1/attach', misfit)).body)
      .toMatchObject({ status: 422, code: 'persona-does-not-fit' });
    const both = { ...wear, capabilities: [{ name: 'pasid' }] };
    expect((await server.post('/v1/vms/vm-1/devices/nic2/attach', both)).body)
      .toMatchObject({ code: 'request-invalid', errors: [{ pointer: '/capabilities' }] });
  });
});
