import { look, sampleBytes, TestServer } from '../testing.js';

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
    const reply = await server.post('/v1/functions', look({ configSpace: changed }));
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({ recorded: 'observed', revision: 2, observation: { revision: 2 } });
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
