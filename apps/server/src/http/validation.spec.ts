import { attachBody, look, sample, TestServer } from '../testing.js';

const attach = '/v1/vms/vm-1/devices/nic0/attach';

describe('a wrong field', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.open();
  });
  afterEach(async () => expect(await server.events()).toBe(0));
  afterAll(() => server.close());

  it.each<[string, string, unknown, string, string]>([
    ['that is missing', '/v1/functions', look({ kernel: undefined }), '/kernel', 'a value'],
    ['that nobody knows', '/v1/functions', look({ kernel: { release: '7.2', flavour: 'upstream', tree: 'x' } }),
      '/kernel/tree', 'release, flavour'],
    ['above its limit', '/v1/functions', look({ iommu: { maxPasidLog2: 21, exec: false, priv: false,
      atsSupported: true } }), '/iommu/maxPasidLog2', 'at most 20'],
    ['below its limit', attach, { ...attachBody, hotPlugOrder: -1 }, '/hotPlugOrder', 'at least 0'],
    ['of another type', '/v1/functions', look({ iommu: [] }), '/iommu', 'an object'],
    ['that is none of its values', '/v1/functions', look({ sriov: { role: 'king' } }), '/sriov/role',
      'one of the following values: pf, vf, none'],
  ])('%s is told with what is allowed', async (_what, url, body, pointer, limit) => {
    expect((await server.post(url, body)).body['errors']).toMatchObject([{ pointer, limit }]);
  });
});

describe('a route without a body', () => {
  let server: TestServer;
  let etag: string;
  beforeAll(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look());
    etag = String((await server.post(attach, attachBody)).headers['etag']);
  });
  afterAll(() => server.close());

  const device = '/v1/vms/vm-1/devices/nic0';
  it.each([
    '/v1/vms/vm-1/migrations/1/prepare', '/v1/vms/vm-1/migrations/1/complete', `${device}/pasids/disable`,
    `${device}/ats/enable`, `${device}/pri/disable`,
  ])('refuses fields: POST %s', async (url) => {
    const recorded = await server.events();
    for (const [body, pointer] of [[{ x: 1 }, '/x'], [[], ''], ['"x"', '']] as const) {
      const reply = await server.post(url, body, { 'if-match': etag });
      expect(reply.body).toMatchObject({ status: 400, code: 'request-invalid', errors: [{ pointer }] });
    }
    expect(await server.events()).toBe(recorded);
  });

  it('takes an object without any, and none at all', async () => {
    const enabled = await server.post(`${device}/ats/enable`, {}, { 'if-match': etag });
    expect(enabled.status).toBe(200);
    const next = String(enabled.headers['etag']);
    const headers = { 'idempotency-key': 'bare', 'if-match': next };
    const bare = await server.app.inject({ method: 'POST', url: `${device}/ats/disable`, headers });
    expect(bare.statusCode).toBe(200);
  });
});

describe('a server that fails', () => {
  it('says that a write may be recorded, and that a read wrote nothing', async () => {
    const server = await TestServer.open();
    const { body: { layout } } = await server.post('/v1/layouts/plan', {
      configSpace: { encoding: 'lspci', data: sample('nic-v1') }, capabilities: [] });
    server.store.readStream = () => Promise.reject(new Error('a bug'));
    const failed = { status: 500, code: 'internal-error' };
    expect((await server.get('/v1/personas/nic')).body).toMatchObject({ ...failed, outcome: 'none' });
    expect((await server.put('/v1/personas/nic', { layout })).body).toMatchObject({ ...failed, outcome: 'unknown' });
    expect((await server.post(attach, attachBody)).body).toMatchObject({ ...failed, outcome: 'unknown' });
    await server.close();
  });
});
