import { readLayoutDocument } from '@cadastre/device-layout';
import { attachBody, look, type Reply, TestServer } from '../testing.js';

const device = '/v1/vms/vm-1/devices/nic0';

describe('the layout of an attached device', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look());
    await server.post(`${device}/attach`, attachBody);
    await server.post(`${device}/layout`, { capabilities: ['pasid'], keepPlaces: false,
      policy: { pinned: { pasid: '0x400' } } }, { 'if-match': '"1"' });
  });
  afterAll(() => server.close());

  it('is a document in its canonical bytes, as of any moment', async () => {
    const now = await server.get(`${device}/layout`);
    expect([now.status, now.headers]).toMatchObject([200, {
      etag: '"2"', 'content-type': 'application/json; charset=utf-8', 'cadastre-position': '5' }]);
    const read = readLayoutDocument(now.text);
    if (!read.ok) throw new Error(JSON.stringify(read.refusal));
    expect(read.value.capabilities.find(({ name }) => name === 'PASID')).toMatchObject({ offset: 0x400 });
    expect((await server.get(`${device}/layout?at=3`)).body).toMatchObject({
      capabilities: expect.arrayContaining([expect.objectContaining({ name: 'PASID', offset: '0x134' })]) as unknown });
    expect((await server.get(`${device}/layout`, { 'if-none-match': '"2"' })).status).toBe(304);
    const planned = await server.post('/v1/layouts/plan', { ...attachBody,
      policy: { pinned: { pasid: '0x400' } } });
    expect(planned.body['layout']).toEqual(now.body);
  });

  const explain = (query: string): Promise<Reply> => server.get(`${device}/explain?${query}`);

  it('tells of a byte who owns it, which event and rule put it there, and what was considered instead', async () => {
    const { status, headers, body } = await explain('byte=0x404');
    expect([status, headers['etag']]).toEqual([200, '"2"']);
    expect(body).toMatchObject({
      vm: 'vm-1', device: 'nic0', revision: 2, offset: 0x404, owner: 'PASID', by: 'operator', rule: 'pinned',
      event: { type: 'LayoutDecided', stream: 'device-vm-1/nic0', revision: 2, position: 5,
        recordedAt: '2026-11-23T17:00:00.000Z' },
      capability: { origin: 'synthetic', offset: 0x400 } });
    expect(body['explanation']).toContain(
      'put there by LayoutDecided, device-vm-1/nic0@2, position 5, recorded 2026-11-23T17:00:00.000Z');
    expect((await explain('byte=0x134&at=3')).body).toMatchObject({
      rule: 'gap', event: { revision: 1, position: 3 }, considered: [
        'persona: no persona was given', 'physical: no hardware here lists capability 0x001b',
        'dvsec: the device tells of no room for it', 'table: no row of the quirk table has a place for it here'] });
  });

  it('tells of the hardware\'s bytes which observation they come from', async () => {
    expect((await explain('byte=264')).body).toMatchObject({ offset: 0x108, owner: 'AER', by: 'hardware',
      event: { type: 'FunctionObserved', stream: 'function-host-a/0000:03:00.0', revision: 1, position: 1 } });
    expect((await explain('byte=0x143')).body).toMatchObject({ owner: 'DSN', by: 'planner', rule: 'link',
      event: { type: 'LayoutDecided' } });
  });

  it.each(['byte=0x1000', 'byte=-1', 'byte=', 'byte=1.5', 'at=3', 'byte=1&byte=2'])('has no byte %s', async (query) => {
    expect((await explain(query)).body).toMatchObject({ status: 400, code: 'request-invalid', errors: [
      { pointer: '/byte', limit: 'an offset in 0x0..0xfff, in hexadecimal or decimal' }] });
  });

  it('is refused of what is not attached', async () => {
    for (const route of ['layout', 'explain?byte=0']) {
      expect((await server.get(`/v1/vms/vm-1/devices/other/${route}`)).body).toMatchObject({ code: 'device-unknown' });
      expect((await server.get(`${device}/${route}${route === 'layout' ? '?' : '&'}at=1`)).body)
        .toMatchObject({ status: 404, code: 'not-yet' });
    }
  });
});
