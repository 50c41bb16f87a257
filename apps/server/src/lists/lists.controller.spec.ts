import { attachBody, look, type Reply, sampleBytes, TestServer } from '../testing.js';

const configSpace = { encoding: 'base64', data: sampleBytes('e1000e').toString('base64') };

describe('the lists', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.open();
    for (const [host, address] of [['host-a', '03:00.0'], ['host-a', '03:00.1'], ['host-b', '03:00.0']]) {
      await server.post('/v1/functions', look({ host, address, configSpace }));
    }
    await server.post('/v1/functions', look({
      address: '0000:02:00.0', configSpace: { encoding: 'base64', data: sampleBytes('xhci').toString('base64') },
    }));
    await server.post('/v1/vms/vm-1/devices/nic0/attach', attachBody);
    await server.post('/v1/vms/vm-2/devices/nic0/attach', {
      function: { host: 'host-b', address: '0000:03:00.0' }, capabilities: [],
    });
    await server.post('/v1/vms/vm-2/devices/nic0/detach', {}, { 'if-match': '*' });
  });
  afterAll(() => server.close());

  const names = (reply: Reply, list: string, ...fields: readonly string[]): readonly string[] =>
    (reply.body[list] as readonly Record<string, unknown>[]).map((row) => fields.map((one) => row[one]).join('/'));

  it('of functions is narrowed by host, model, capability, claim and VM together', async () => {
    const functions = async (query: string): Promise<readonly string[]> =>
      names(await server.get(`/v1/functions?${query}`), 'functions', 'host', 'address');
    expect(await functions('host=host-a')).toEqual([
      'host-a/0000:02:00.0', 'host-a/0000:03:00.0', 'host-a/0000:03:00.1',
    ]);
    expect(await functions('host=host-a&model=8086:10D3')).toEqual(['host-a/0000:03:00.0', 'host-a/0000:03:00.1']);
    expect(await functions('host=host-a&model=8086:10d3&claimed=false')).toEqual(['host-a/0000:03:00.1']);
    expect(await functions('vm=vm-1&capability=AER')).toEqual(['host-a/0000:03:00.0']);
    expect(await functions('capability=pasid')).toEqual([]);
    expect(await functions('claimed=true')).toEqual(['host-a/0000:03:00.0']);
  });

  it('of devices shows what the guest has, and is narrowed by it', async () => {
    const { body } = await server.get('/v1/devices?capability=pasid');
    expect(body).toMatchObject({ next: null, devices: [{
      vm: 'vm-1', device: 'nic0', state: 'attached', revision: 1, model: '8086:10d3',
      function: { host: 'host-a', address: '0000:03:00.0' },
    }] });
    const [{ layoutDigest }] = body['devices'] as [{ layoutDigest: string }];
    const { body: one } = await server.get('/v1/vms/vm-1/devices/nic0');
    expect(one).toMatchObject({ layout: { digest: layoutDigest } });
    const devices = async (query: string): Promise<readonly string[]> =>
      names(await server.get(`/v1/devices?${query}`), 'devices', 'vm', 'device', 'state');
    expect(await devices('')).toEqual(['vm-1/nic0/attached', 'vm-2/nic0/detached']);
    expect(await devices(`layoutDigest=${layoutDigest}&host=host-a`)).toEqual(['vm-1/nic0/attached']);
    expect(await devices('state=detached')).toEqual(['vm-2/nic0/detached']);
    expect(await devices('host=host-b')).toEqual([]);
  });

  it('of VMs counts their devices', async () => {
    expect((await server.get('/v1/vms?limit=1')).body['vms']).toEqual([{ vm: 'vm-1', devices: 1, attached: 1 }]);
    expect((await server.get('/v1/vms')).body).toEqual({
      vms: [{ vm: 'vm-1', devices: 1, attached: 1 }, { vm: 'vm-2', devices: 1, attached: 0 }], next: null,
    });
  });

  it('of clashes tells that one card was seen at two hosts', async () => {
    const { body } = await server.get('/v1/audit/clashes?host=host-b&kind=serial-number-on-two-hosts');
    expect(body).toMatchObject({ next: null, clashes: [{
      kind: 'serial-number-on-two-hosts', position: 5, recordedAt: '2026-11-23T17:00:00.000Z',
      streams: ['function-host-b/0000:03:00.0', 'function-host-a/0000:03:00.0', 'function-host-a/0000:03:00.1'],
    }] });
    expect((await server.get('/v1/audit/clashes?vm=vm-1')).body).toEqual({ clashes: [], next: null });
  });

  it('lead from page to page under the same filter', async () => {
    const first = await server.get('/v1/functions?model=8086:10d3&limit=2');
    expect(names(first, 'functions', 'host', 'address')).toEqual(['host-a/0000:03:00.0', 'host-a/0000:03:00.1']);
    const link = /^<(.*)>; rel="next"$/.exec(String(first.headers['link']))?.[1];
    expect(link).toContain(String(first.body['next']));
    const rest = await server.get(link ?? '');
    expect(names(rest, 'functions', 'host', 'address')).toEqual(['host-b/0000:03:00.0']);
    expect(rest.body['next']).toBe(null);
    expect(rest.headers['link']).toBe(undefined);
  });

  it.each(['/v1/functions?host=host-a', '/v1/functions?', '/v1/devices?model=8086:10d3', '/v1/vms?'])(
    'refuse a cursor of another filter: %s', async (url) => {
      const { body: { next } } = await server.get('/v1/functions?model=8086:10d3&limit=1');
      expect((await server.get(`${url}&after=${String(next)}`)).body).toMatchObject({
        status: 400, code: 'cursor-of-another-list', errors: [{ pointer: '/after' }],
      });
    });

  it.each([
    ['/v1/functions?model=8086', '/model', /8086:10d3/], ['/v1/functions?model=8086:10d3&model=1:2', '/model', /one/],
    ['/v1/functions?capability=speed', '/capability', /survey/], ['/v1/functions?claimed=yes', '/claimed', /true/],
    ['/v1/migrations?state=gone', '/state', /completed/], ['/v1/devices?at=x', '/at', /position/],
    ['/v1/functions?host=', '/host', /letters/], ['/v1/functions?vm=a/b', '/vm', /letters/],
    ['/v1/devices?layoutDigest=sha256:1', '/layoutDigest', /64/], ['/v1/devices?state=gone', '/state', /detached/],
    ['/v1/devices?claimed=true', '/claimed', /layoutDigest/],
    ['/v1/devices?verdict=bad', '/verdict', /cannot-obey/], ['/v1/vms?host=a', '/host', /after, limit/],
    ['/v1/audit/clashes?kind=odd', '/kind', /serial-number/], ['/v1/devices?limit=1001', '/limit', /1000/],
  ])('refuse %s', async (url, pointer, limit) => {
    const { body } = await server.get(url);
    expect(body).toMatchObject({ status: 400, code: 'request-invalid', errors: [{ pointer }] });
    expect((body['errors'] as [{ limit: string }])[0].limit).toMatch(limit);
  });
});

describe('a list that stands still', () => {
  it('is refused by name, and readiness is degraded, while all else goes on', async () => {
    const server = await TestServer.open();
    await server.post('/v1/functions', look());
    await server.append('device-vm-1/ghost', {
      type: 'DeviceDetached', schema: 1, function: { host: 'host-a', address: '0000:03:00.0' } as never, reason: null,
    });
    expect((await server.get('/v1/devices')).body).toMatchObject({
      status: 503, code: 'view-halted', outcome: 'none',
      refusal: { view: 'devices', position: 2, reason: 'device-vm-1/ghost was never attached' },
    });
    expect((await server.get('/v1/functions')).status).toBe(200);
    const ready = await server.get('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.body).toMatchObject({ status: 'degraded', halted: [{ view: 'devices' }, { view: 'clashes' }] });
    expect((await server.post('/v1/vms/vm-1/devices/nic0/attach', attachBody)).status).toBe(201);
    await server.close();
  });
});
