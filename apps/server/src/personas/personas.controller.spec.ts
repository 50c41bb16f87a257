import { attachBody, look, sample, sampleBytes, TestServer } from '../testing.js';

const device = '/v1/vms/vm-1/devices/nic0';
const over = { configSpace: { encoding: 'lspci', data: sample('e1000e') } };

describe('a persona over HTTP', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look());
    const { body } = await server.post('/v1/layouts/plan', {
      function: attachBody.function, capabilities: ['pasid'],
      policy: { strategies: ['pinned'], pinned: { pasid: '0x400' } } });
    const published = await server.put('/v1/personas/nic', { layout: body['layout'], instanceType: 'net.large' });
    expect(published.status).toBe(201);
  });
  afterEach(() => server.close());

  const wear = (change: object = {}) => server.post(`${device}/attach`, {
    ...attachBody, capabilities: [], persona: { name: 'nic' }, ...change });

  it('is bound to an instance type; another one is another version', async () => {
    const { body } = await server.get('/v1/personas/nic');
    expect(body).toMatchObject({ version: 1, instanceType: 'net.large', versions: [{ instanceType: 'net.large' }] });
    const layout = body['layout'];
    const next = (change: object) => server.put('/v1/personas/nic', { layout, ...change }, { 'if-match': '"0"' });
    expect((await next({ instanceType: 'no such/name' })).body).toMatchObject({ code: 'request-invalid' });
    expect((await next({ instanceType: 'net.large' })).body).toMatchObject({ code: 'persona-unchanged' });
    expect(await next({ instanceType: 'net.small' })).toMatchObject({ status: 201, body: { version: 2 } });
    expect((await server.get('/v1/personas/nic?version=1')).body).toMatchObject({ instanceType: 'net.large' });
  });

  it('is worn, and what was looked at is recorded', async () => {
    await server.post('/v1/functions', look({ address: '0000:04:00.0', configSpace: changedAt(0x600) }));
    const reply = await wear();
    expect([reply.status, reply.body]).toMatchObject([201, { layout: {
      placements: [{ name: 'pasid', offset: 0x400, strategy: 'persona' }],
      evidence: { captures: [{}, { source: 'function-host-a/0000:04:00.0@1' }], looked: 2 } } }]);
  });

  it('is worn whole: a policy beside it is refused, and nothing is written', async () => {
    const before = await server.events();
    const policy = { forbiddenRanges: [{ offset: '0x400', length: 8, reason: 'mine' }] };
    expect(await wear({ policy })).toMatchObject({
      status: 400, body: { code: 'request-invalid', errors: [{ pointer: '/policy/forbiddenRanges' }] } });
    expect(await server.events()).toBe(before);
  });

  it('does not move what a guest of the device has found, unless that is asked for', async () => {
    const policy = { strategies: ['pinned'], pinned: { pasid: '0x154' } };
    await server.post(`${device}/attach`, { ...attachBody, policy });
    await server.post(`${device}/detach`, {}, { 'if-match': '"1"' });
    const again = (change: object = {}) => server.post(`${device}/attach`,
      { ...attachBody, capabilities: [], persona: { name: 'nic' }, ...change }, { 'if-match': '"2"' });
    expect(await again()).toMatchObject({ status: 422, body: { code: 'persona-moves-places', refusal: { reasons: [
      { kind: 'offset-would-move', layout: 0x154, destination: 0x400 }] } } });
    expect(await again({ keepPlaces: false })).toMatchObject({ status: 201, body: { layout: { placements: [
      { cautions: expect.arrayContaining([{ kind: 'was-elsewhere', offset: 0x154 }]) as unknown }] } } });
  });

  it('is not worn where another unit of the model has something, and a verdict says so before', async () => {
    await server.post('/v1/functions', look({ address: '0000:04:00.0', configSpace: changedAt(0x404) }));
    const before = await server.events();
    const reason = { kind: 'seen-in-use', name: 'PASID', offset: 0x400, at: 0x404,
      by: 'function-host-a/0000:04:00.0@1' };
    expect(await wear()).toMatchObject({ status: 422, body: {
      code: 'persona-does-not-fit', outcome: 'none', refusal: { reasons: [reason] } } });
    expect(await server.events()).toBe(before);
    const { body: { layout } } = await server.get('/v1/personas/nic');
    expect((await server.post('/v1/layouts/verdict', { layout, ...over })).body)
      .toMatchObject({ verdict: 'cannot', reasons: [reason] });
  });
});

/** The same function with one byte set. */
function changedAt(at: number): object {
  const bytes = Buffer.from(sampleBytes('e1000e'));
  bytes[at] = 0x5a;
  return { encoding: 'base64', data: bytes.toString('base64') };
}
