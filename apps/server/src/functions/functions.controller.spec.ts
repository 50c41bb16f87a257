import { attachBody, look, type Reply, sampleBytes, TestServer } from '../testing.js';

describe('POST /v1/functions', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  it('registers a function and answers with its survey', async () => {
    const reply = await server.post('/v1/functions', look());
    expect(reply.status).toBe(201);
    expect(reply.headers).toMatchObject({
      'etag': '"1"', 'cadastre-position': '1', 'location': '/v1/functions/host-a/0000:03:00.0',
    });
    expect(reply.body).toMatchObject({
      recorded: 'registered', host: 'host-a', address: '0000:03:00.0', revision: 1, claim: null,
      survey: { size: 4096, vendorId: 0x8086, deviceId: 0x10d3, class: 0x020000 },
    });
    const { capabilities } = reply.body['survey'] as { capabilities: readonly unknown[] };
    expect(capabilities).toContainEqual(
      { space: 'extended', id: 1, version: 2, offset: 0x100, length: 0x2c, name: 'AER' },
    );
  });

  it.each([
    ['hex', sampleBytes('e1000e').toString('hex')],
    ['base64', sampleBytes('e1000e').toString('base64')],
  ])('reads the same bytes from %s', async (encoding, data) => {
    const text = await server.post('/v1/functions', look());
    const other = await server.post('/v1/functions', look({ configSpace: { encoding, data } }));
    expect(other.status).toBe(200);
    expect(other.body['recorded']).toBe('confirmed');
    expect(other.body['survey']).toEqual(text.body['survey']);
  });

  it('records changed bytes as a new observation', async () => {
    await server.post('/v1/functions', look());
    const bytes = sampleBytes('e1000e');
    bytes[8] = 7;
    const changed = { encoding: 'base64', data: bytes.toString('base64') };
    const reply = await server.post('/v1/functions', look({ configSpace: changed, firmware: '1.8' }));
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      recorded: 'observed', revision: 2, observation: { revision: 2, firmware: '1.8' }, running: null,
      changed: [{ offset: 8, length: 1, before: { owner: 'header', capability: null }, after: { owner: 'header' } }],
    });
  });

  it('records new facts of the host without the bytes, in less than 1 KiB, and decides over them', async () => {
    await server.post('/v1/functions', look());
    const kernel = { release: '7.3.1', flavour: 'upstream' };
    const key = { 'idempotency-key': 'kernel-update' };
    const update = look({ kernel, firmware: '1.8' });
    const reply = await server.post('/v1/functions', update, key);
    expect([reply.status, reply.headers['etag']]).toEqual([201, '"2"']);
    expect(reply.body).toMatchObject({
      recorded: 'host-facts-observed', revision: 2, running: null,
      observation: { revision: 2, configSpaceRevision: 1, kernel, firmware: '1.8' }, survey: { size: 4096 },
    });
    expect('changed' in reply.body).toBe(false);
    const again = await server.post('/v1/functions', update, key);
    expect([again.text, again.headers['idempotency-replayed']]).toEqual([reply.text, 'true']);
    const history = await server.get('/v1/functions/host-a/0000:03:00.0/history?after=1');
    expect(history.body).toMatchObject({ events: [{ type: 'HostFactsObserved', schema: 1, data: {
      kernel, firmware: '1.8', configSpaceRevision: 1, holder: null, dangers: [] } }] });
    expect(history.text.length).toBeLessThan(1_024);
    expect((await server.post('/v1/functions', update)).body).toMatchObject({ recorded: 'confirmed' });
    const attached = await server.post('/v1/vms/vm-1/devices/nic0/attach', { ...attachBody,
      vmm: { name: 'qemu', version: '11.0' } });
    expect(attached.status).toBe(201);
    expect((await server.get('/v1/vms/vm-1/devices/nic0/history')).body).toMatchObject({ events: [
      {}, { type: 'LayoutDecided', data: { observation: { revision: 2 }, vmm: { kernel } } }] });
    expect((await server.get('/v1/vms/vm-1/replay')).body).toMatchObject({ equal: true });
    expect((await server.get('/v1/vms/vm-1/devices/nic0/explain?byte=264')).body).toMatchObject({
      by: 'hardware', event: { type: 'FunctionObserved', revision: 1 } });
  });

  it('tells a running guest of danger by the facts of its host alone', async () => {
    await server.post('/v1/functions', look());
    await server.post('/v1/vms/vm-1/devices/nic0/attach', attachBody);
    const iommu = { maxPasidLog2: 0, exec: false, priv: false, atsSupported: true };
    const reply = await server.post('/v1/functions', look({ iommu }));
    expect(reply.body).toMatchObject({ recorded: 'host-facts-observed', running: { vm: 'vm-1', endangered: true } });
    expect((await server.get('/v1/functions')).body).toMatchObject({ functions: [{ endangered: true }] });
    expect((await server.get('/v1/audit/clashes?vm=vm-1')).body).toMatchObject({
      clashes: [{ kind: 'layout-endangered' }] });
  });

  it('tells that a guest is out of danger by the next look, once it has another layout', async () => {
    await server.post('/v1/functions', look());
    await server.post('/v1/vms/vm-1/devices/nic0/attach', attachBody);
    const bytes = sampleBytes('e1000e');
    bytes.writeUInt8(0x9f, 0x137);
    const update = look({ configSpace: { encoding: 'base64', data: bytes.toString('base64') } });
    expect((await server.post('/v1/functions', update)).body).toMatchObject({ running: { endangered: true } });
    const wish = { capabilities: attachBody.capabilities };
    const moved = await server.post('/v1/vms/vm-1/devices/nic0/layout', wish, { 'if-match': '"1"' });
    expect(moved.status).toBe(200);
    const safe = await server.post('/v1/functions', update);
    expect([safe.status, safe.body]).toMatchObject([201, {
      recorded: 'host-facts-observed', running: { device: 'nic0', revision: 2, endangered: false, dangers: [] } }]);
    expect((await server.get('/v1/functions/host-a/0000:03:00.0')).body).toMatchObject({
      running: { endangered: false } });
    expect((await server.get('/v1/functions')).body).toMatchObject({ functions: [{ endangered: false }] });
    expect((await server.post('/v1/functions', update)).body).toMatchObject({ recorded: 'confirmed' });
    expect((await server.get('/v1/vms/vm-1/replay')).body).toMatchObject({ equal: true });
  });

  it('says whether a running guest is endangered by what changed, and says so again to a retry', async () => {
    await server.post('/v1/functions', look());
    await server.post('/v1/vms/vm-1/devices/nic0/attach', attachBody);
    const seen = (edit: (bytes: Buffer) => void): Record<string, unknown> => {
      const bytes = sampleBytes('e1000e');
      edit(bytes);
      return look({ configSpace: { encoding: 'base64', data: bytes.toString('base64') } });
    };
    const harmless = await server.post('/v1/functions', seen((bytes) => bytes.writeUInt8(0x40, 0x17)));
    expect(harmless.body).toMatchObject({
      recorded: 'observed', running: { vm: 'vm-1', device: 'nic0', revision: 1, endangered: false, dangers: [] },
    });
    const key = { 'idempotency-key': 'firmware-update' };
    const update = seen((bytes) => bytes.writeUInt8(0x9f, 0x137));
    const first = await server.post('/v1/functions', update, key);
    expect(first.body).toMatchObject({
      changed: [
        { offset: 0x17, before: { owner: 'header' } },
        { offset: 0x137, length: 1, before: { owner: 'zero' }, after: { owner: 'unknown-non-zero' } },
      ],
      running: { endangered: true, dangers: [{ kind: 'place-taken', id: 0x1b, offset: 0x134, at: 0x137 }],
        explanation: [expect.stringContaining('0x137') as unknown] },
    });
    const url = '/v1/functions/host-a/0000:03:00.0';
    expect((await server.get(url)).body['running']).toEqual(first.body['running']);
    expect((await server.post('/v1/functions', update)).body).toMatchObject({
      recorded: 'confirmed', running: first.body['running'],
    });
    expect((await server.get('/v1/functions')).body).toMatchObject({ functions: [{ endangered: true }] });
    const { body: { clashes } } = await server.get('/v1/audit/clashes?vm=vm-1');
    expect(clashes).toMatchObject([{
      kind: 'layout-endangered', streams: ['function-host-a/0000:03:00.0', 'device-vm-1/nic0'],
      detail: { dangers: 'pasid at 0x134 would lie over unknown-non-zero at 0x137' },
    }]);
    await server.post('/v1/vms/vm-1/devices/nic0/detach', {}, { 'if-match': '"1"' });
    expect((await server.get(url)).body['running']).toBe(null);
    expect((await server.get('/v1/functions')).body).toMatchObject({ functions: [{ endangered: false }] });
    expect((await server.post('/v1/functions', update, key)).text).toBe(first.text);
    const unheld = await server.post('/v1/functions', look());
    expect(unheld.body).toMatchObject({ recorded: 'observed', running: null });
  });

  it('retires a function nobody holds, and registers it anew when it is seen again', async () => {
    const url = '/v1/functions/host-a/0000:03:00.0';
    await server.post('/v1/functions', look());
    await server.post('/v1/vms/vm-1/devices/nic0/attach', attachBody);
    const retire = (headers: Record<string, string>): Promise<Reply> =>
      server.post(`${url}/retire`, { reason: 'card removed' }, headers);
    const held = await retire({ 'if-match': '"2"' });
    expect([held.status, held.body['code']]).toEqual([409, 'function-claimed']);
    expect(held.body).toMatchObject({ refusal: { by: { vm: 'vm-1', device: 'nic0' } } });
    await server.post('/v1/vms/vm-1/devices/nic0/detach', {}, { 'if-match': '"1"' });
    expect((await retire({})).status).toBe(428);
    const stale = await retire({ 'if-match': '"2"' });
    expect([stale.status, stale.headers['etag']]).toEqual([412, '"3"']);
    const before = await server.events();
    const done = await retire({ 'if-match': '"3"', 'idempotency-key': 'retire-1' });
    expect([done.status, done.headers['etag'], done.body['retired']]).toEqual([200, '"4"', { reason: 'card removed' }]);
    expect((await retire({ 'if-match': '"3"', 'idempotency-key': 'retire-1' })).headers)
      .toMatchObject({ 'idempotency-replayed': 'true' });
    expect((await retire({ 'if-match': '"4"' })).body['code']).toBe('function-retired');
    expect((await server.post('/v1/vms/vm-2/devices/nic0/attach', attachBody)).body['code']).toBe('function-retired');
    expect(await server.events()).toBe(before + 1);
    expect((await server.get('/v1/functions')).body).toMatchObject({ functions: [{ retired: true, claim: null }] });
    const again = await server.post('/v1/functions', look());
    expect(again.body).toMatchObject({ recorded: 'registered', revision: 6, retired: null });
    expect((await server.post('/v1/vms/vm-2/devices/nic0/attach', attachBody)).status).toBe(201);
  });

  it('does not retire what it never saw', async () => {
    const reply = await server.post('/v1/functions/host-a/0000:09:00.0/retire', {}, { 'if-match': '*' });
    expect([reply.status, reply.body['code'], await server.events()]).toEqual([404, 'function-unknown', 0]);
  });

  it('knows the family of a PF and of each of its VFs', async () => {
    const data = sampleBytes('e1000e').toString('base64');
    const seen = (address: string, sriov: object, host = 'host-a'): Promise<Reply> =>
      server.post('/v1/functions', look({ host, address, sriov, configSpace: { encoding: 'base64', data } }));
    await seen('0000:03:00.2', { role: 'vf', pf: '0000:03:00.0' });
    const url = '/v1/functions/host-a/0000:03:00.2/family';
    expect((await server.get(url)).body).toMatchObject({
      physicalFunction: { address: '0000:03:00.0', registered: false }, shared: null,
    });
    await seen('0000:03:00.1', { role: 'vf', pf: '0000:03:00.0' });
    await seen('0000:03:00.1', { role: 'vf', pf: '0000:03:00.0' }, 'host-b');
    await seen('0000:03:00.0', { role: 'pf' });
    await seen('0000:04:00.0', { role: 'none' });
    const family = (await server.get(url)).body;
    expect(family).toMatchObject({
      physicalFunction: { host: 'host-a', address: '0000:03:00.0', registered: true, revision: 1, claim: null },
      virtualFunctions: [{ host: 'host-a', address: '0000:03:00.1' }, { address: '0000:03:00.2', pf: '0000:03:00.0' }],
      shared: { pasid: { count: 0, first: null, last: null, users: [] }, pri: { count: 0 } },
    });
    expect((family['virtualFunctions'] as unknown[])).toHaveLength(2);
    expect((await server.get('/v1/functions/host-a/0000:03:00.0/family')).body).toEqual(family);
    expect((await server.get('/v1/functions/host-a/0000:04:00.0/family')).body)
      .toEqual({ physicalFunction: null, virtualFunctions: [], shared: null });
    expect((await server.get('/v1/functions/host-a/0000:05:00.0/family')).status).toBe(404);
  });

  it('finds the function it was asked for in a dump of many', async () => {
    const { sample } = await import('../testing.js');
    const data = `${sample('nvme-pf')}\n${sample('e1000e')}`;
    const reply = await server.post('/v1/functions', look({ configSpace: { encoding: 'lspci', data } }));
    expect(reply.body).toMatchObject({ survey: { deviceId: 0x10d3 } });
  });

  it('reports a VF that lists PASID or PRI as a finding', async () => {
    const bytes = sampleBytes('e1000e');
    bytes.writeUInt32LE(0x0001001b, 0x200);
    bytes.writeUInt32LE(bytes.readUInt32LE(0x140) | 0x20000000, 0x140);
    const configSpace = { encoding: 'base64', data: bytes.toString('base64') };
    const reply = await server.post('/v1/functions', look({ configSpace, sriov: { role: 'vf', pf: '0000:03:00.1' } }));
    const { findings } = reply.body['survey'] as { findings: readonly unknown[] };
    expect(findings).toContainEqual(
      { kind: 'vf-lists-shared-capability', id: 0x1b, name: 'PASID', offset: 0x200 },
    );
  });

  it('answers 304 to a reader that has the revision', async () => {
    await server.post('/v1/functions', look());
    const url = '/v1/functions/host-a/0000:03:00.0';
    const { headers, status } = await server.get(url);
    expect([status, headers['etag'], headers['cadastre-position']]).toEqual([200, '"1"', '1']);
    expect((await server.get(url, { 'if-none-match': '"1"' })).status).toBe(304);
    expect((await server.get(url, { 'if-none-match': '"0"' })).status).toBe(200);
  });
});
