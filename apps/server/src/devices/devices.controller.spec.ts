import { attachBody, look, sampleBytes, TestServer } from '../testing.js';

const device = '/v1/vms/vm-1/devices/nic0';

describe('a device over HTTP', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look());
  });
  afterEach(() => server.close());

  it('is attached with the layout and every reason for it', async () => {
    const reply = await server.post(`${device}/attach`, attachBody);
    expect(reply.status).toBe(201);
    expect(reply.headers).toMatchObject({ 'etag': '"1"', 'cadastre-position': '4', 'location': device });
    expect(reply.body).toMatchObject({
      vm: 'vm-1', device: 'nic0', state: 'attached', revision: 1,
      function: { host: 'host-a', address: '0000:03:00.0' },
      layout: {
        planner: 'planner/1',
        grants: [{ name: 'pasid', widthBits: 16, clampedFrom: null }],
        placements: [{
          name: 'pasid', offset: 0x134, length: 8, strategy: 'gap',
          explanation: {
            reason: 'lowest place proven free, in the gap 0x12c..0x13f',
            refused: ['persona: no persona was given', 'physical: no hardware here lists capability 0x001b',
            'dvsec: the device tells of no room for it',
            'table: no row of the quirk table has a place for it here'],
          },
        }],
        extendedList: [
          { offset: 0x100, id: 0x0001, origin: 'physical' }, { offset: 0x134, id: 0x001b, origin: 'synthetic' },
          { offset: 0x140, id: 0x0003, origin: 'physical' },
        ],
      },
      guestConfigSpaceDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as unknown,
    });
    expect((await server.get(device)).body).toEqual(reply.body);
  });

  it('shows its guest config space as lspci text, as bytes and as JSON', async () => {
    await server.post(`${device}/attach`, attachBody);
    const text = await server.get(`${device}/config-space`);
    expect(text.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(text.text.split('\n')[0]).toBe('03:00.0 guest view of vm-1/nic0, function of host host-a');
    expect(text.text).toContain('130: 00 00 00 00 1b 00 01 14 04 10 00 00 00 00 00 00');
    const json = await server.get(`${device}/config-space`, { accept: 'application/json' });
    expect(json.body).toMatchObject({ size: 4096, configSpace: { encoding: 'base64' } });
    const binary = await server.app.inject({
      method: 'GET', url: `${device}/config-space`, headers: { accept: 'application/octet-stream' },
    });
    const { data } = json.body['configSpace'] as { data: string };
    expect(binary.rawPayload).toEqual(Buffer.from(data, 'base64'));
    expect(binary.rawPayload.subarray(0, 0x100)).toEqual(sampleBytes('e1000e').subarray(0, 0x100));
  });

  it('is shown in the form its reader likes best, and not again to one that has it', async () => {
    await server.post(`${device}/attach`, attachBody);
    const reply = await server.get(`${device}/config-space`, { accept: 'text/plain;q=0.2, application/json;q=0.9' });
    expect(reply.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', 'etag': '"1-json"' });
    const known = { accept: 'application/json', 'if-none-match': '"1-json"' };
    const again = await server.get(`${device}/config-space`, known);
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('cannot be shown in a form nobody offers', async () => {
    await server.post(`${device}/attach`, attachBody);
    for (const accept of ['image/png', 'constructor', '__proto__', 'text/plain;q=0', '']) {
      expect([accept, (await server.get(`${device}/config-space`, { accept })).status]).toEqual([accept, 406]);
    }
  });

  it('is detached with its revision, and then owns nothing', async () => {
    await server.post(`${device}/attach`, attachBody);
    const reply = await server.post(`${device}/detach`, { reason: 'VM stopped' }, { 'if-match': '"1"' });
    expect([reply.status, reply.headers['etag']]).toEqual([200, '"2"']);
    expect(reply.body).toMatchObject({
      state: 'detached', lastFunction: { address: '0000:03:00.0' }, reason: 'VM stopped',
    });
    expect((await server.get(device)).body).toEqual(reply.body);
    expect((await server.get(`${device}/config-space`)).body).toMatchObject({ code: 'device-not-attached' });
    const other = await server.post('/v1/vms/vm-2/devices/nic0/attach', attachBody);
    expect(other.status).toBe(201);
  });

  it('answers a repeated attach from the record, and says so', async () => {
    const key = { 'idempotency-key': 'attach-1' };
    const first = await server.post(`${device}/attach`, attachBody, key);
    await server.post(`${device}/detach`, {}, { 'if-match': '"1"' });
    const again = await server.post(`${device}/attach`, attachBody, key);
    expect(again.status).toBe(201);
    expect(again.text).toBe(first.text);
    expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true', 'etag': '"1"', 'cadastre-position': '4' });
    expect(first.headers['idempotency-replayed']).toBeUndefined();
  });

  it('takes an operator\'s offset, allowed ranges and strategies', async () => {
    const pinned = await server.post(`${device}/attach`, { ...attachBody, policy: { pinned: { pasid: '0x300' } } });
    expect(pinned.body).toMatchObject({ layout: { placements: [{ offset: 0x300, strategy: 'pinned' }] } });
    await server.post(`${device}/detach`, {}, { 'if-match': '"1"' });
    const allowedRanges = [{ offset: '0x800', length: 256 }];
    const ranged = await server.post(`${device}/attach`, { ...attachBody, policy: { allowedRanges } },
      { 'if-match': '"2"' });
    expect(ranged.body).toMatchObject({ layout: { placements: [{ offset: 0x800, strategy: 'gap' }] } });
  });

  it('shows up in the log with its key and what was decided', async () => {
    await server.post(`${device}/attach`, attachBody, { 'idempotency-key': 'attach-1' });
    const page = await server.get('/v1/events?after=1&limit=2');
    expect(page.body).toMatchObject({
      events: [
        { position: 2, stream: 'device-vm-1/nic0', revision: 0, type: 'DeviceAttached', idempotencyKey: 'attach-1' },
        { position: 3, type: 'LayoutDecided', data: { placements: [{ offset: 0x134 }] } },
      ],
      next: 3, head: 4,
    });
    expect((await server.get('/v1/events?after=4')).body).toMatchObject({ events: [], next: null, head: 4 });
  });
});
