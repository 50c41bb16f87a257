import { attachBody, look, type Reply, sampleBytes, TestServer } from '../testing.js';

const device = '/v1/vms/vm-1/devices/nic0';
const owned = '/v1/functions/host-a/0000:03:00.0';
const resources = [
  device, `${device}/config-space`, `${device}/history`, owned, `${owned}/history`, '/v1/functions',
  '/v1/vms/vm-1/replay',
];

async function readAll(server: TestServer, at: string | null): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (const url of resources) replies.push(await server.get(at === null ? url : `${url}?at=${at}`));
  return replies;
}

/** What a reader can tell apart. Refusals differ: the past knows what is still to come, and each has its own trace. */
function told({ status, headers, text }: Reply): unknown {
  const found = status === 200;
  return { status, etag: headers['etag'], position: headers['cadastre-position'], text: found ? text : '' };
}

describe('?at=', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  it('answers every resource as it was answered then, with the position asked for and the ETag of then', async () => {
    const bytes = sampleBytes('e1000e');
    bytes[8] = 7;
    const newFirmware = look({ configSpace: { encoding: 'base64', data: bytes.toString('base64') } });
    const steps: readonly (() => Promise<Reply>)[] = [
      () => server.post('/v1/functions', look()),
      () => server.post(`${device}/attach`, attachBody),
      () => server.post('/v1/functions', newFirmware),
      () => server.post(`${device}/detach`, {}, { 'if-match': '"1"' }),
      () => server.post(`${device}/attach`, attachBody, { 'if-match': '"2"' }),
    ];
    const then: (readonly [string, readonly Reply[]])[] = [];
    for (const step of steps) {
      const { headers } = await step();
      then.push([String(headers['cadastre-position']), await readAll(server, null)]);
    }
    expect(then.map(([position]) => position)).toEqual(['1', '4', '5', '7', '10']);
    for (const [position, replies] of then) {
      expect((await readAll(server, position)).map(told)).toEqual(replies.map(told));
    }
  });

  it('takes an instant for the last event recorded by then', async () => {
    await server.post('/v1/functions', look());
    const reply = await server.get(`${owned}?at=2026-11-23T17:00:00Z`);
    expect([reply.status, reply.headers['cadastre-position']]).toEqual([200, '1']);
    for (const at of ['2026-11-23T16:59:59.999Z', '2026-11-23T17:00:00.001Z', '2']) {
      expect((await server.get(`${owned}?at=${at}`)).body).toMatchObject({
        status: 404, code: 'position-unknown', refusal: { head: 1 },
      });
    }
  });

  it('keeps the persona of then', async () => {
    const wanted = { configSpace: look()['configSpace'], capabilities: ['pasid'] };
    const { body } = await server.post('/v1/layouts/plan', wanted);
    await server.post('/v1/functions', look());
    await server.put('/v1/personas/nic', { layout: body['layout'] });
    expect((await server.get('/v1/personas/nic?at=2')).body).toMatchObject({ name: 'nic', version: 1 });
    expect((await server.get('/v1/personas/nic?at=1')).body).toMatchObject({
      code: 'not-yet', refusal: { stream: 'persona-nic', at: 1, since: 2 },
    });
  });

  it('says of what began later that it did, and of what never was that it never was', async () => {
    await server.post('/v1/functions', look());
    await server.post(`${device}/attach`, attachBody);
    const early = await server.get(`${device}?at=1`);
    expect([early.status, early.headers['cadastre-position']]).toEqual([404, '1']);
    expect(early.body).toMatchObject({ code: 'not-yet', refusal: { stream: 'device-vm-1/nic0', at: 1, since: 2 } });
    expect((await server.get('/v1/vms/vm-1/devices/other?at=1')).body).toMatchObject({ code: 'device-unknown' });
    expect((await server.get('/v1/vms/vm-9/replay')).body).toMatchObject({ status: 404, code: 'vm-unknown' });
  });

  it.each([
    'x', '-1', '1.5', '', '2026-11-23', '2026-02-30T00:00:00Z', '3&at=4',
  ])('refuses a moment of "%s"', async (at) => {
    await server.post('/v1/functions', look());
    const reply = await server.get(`${owned}?at=${at}`);
    expect(reply.body).toMatchObject({ status: 400, code: 'request-invalid', errors: [{ pointer: '/at' }] });
  });

  it('leads through the pages of a list at one position', async () => {
    for (const address of ['0000:03:00.0', '0000:03:00.1', '0000:03:00.2']) {
      const configSpace = { encoding: 'base64', data: sampleBytes('e1000e').toString('base64') };
      await server.post('/v1/functions', look({ address, configSpace }));
    }
    const first = await server.get('/v1/functions?limit=1&at=3');
    expect(first.headers['link']).toContain('?at=3&');
    const rest = await server.get(`/v1/functions?limit=1&at=3&after=${String(first.body['next'])}`);
    expect(rest.body).toMatchObject({ functions: [{ address: '0000:03:00.1' }], next: null });
    expect((await server.get(`/v1/functions?limit=1&after=${String(first.body['next'])}`)).body).toMatchObject({
      code: 'cursor-of-another-list',
    });
  });
});

describe('a list of functions of the past', () => {
  it('knows a VF by what its PF had said by then', async () => {
    const server = await TestServer.open();
    const seen = (name: string): object => ({ encoding: 'base64', data: sampleBytes(name).toString('base64') });
    const sriov = { role: 'vf', pf: '0000:03:00.0' };
    await server.post('/v1/functions', look({ address: '0000:03:10.0', configSpace: seen('igb-vf'), sriov }));
    await server.post('/v1/functions', look({ configSpace: seen('igb-pf'), sriov: { role: 'pf' } }));
    const models = async (query: string): Promise<unknown> =>
      ((await server.get(`/v1/functions${query}`)).body['functions'] as { model: string }[]).map(({ model }) => model);
    expect([await models('?at=1'), await models('?at=3')]).toEqual([['ffff:ffff'], ['8086:10c9', '8086:10ca']]);
    expect(await models('')).toEqual(await models('?at=3'));
    await server.close();
  });

  it('has a function that was retired, as retired until it was observed again', async () => {
    const server = await TestServer.open();
    await server.post('/v1/functions', look());
    await server.post(`${owned}/retire`, {}, { 'if-match': '*' });
    await server.post('/v1/functions', look());
    const retired = [];
    for (const at of [1, 2, 3, 4]) {
      const { body } = await server.get(`/v1/functions?at=${at}&limit=1`);
      retired.push(...(body['functions'] as { retired: boolean }[]).map((row) => row.retired));
    }
    expect(retired).toEqual([false, true, true, false]);
    await server.close();
  });
});

describe('a history', () => {
  it('has every event of its stream with the command that wrote it, in pages', async () => {
    const server = await TestServer.open();
    await server.post('/v1/functions', look());
    await server.post('/v1/functions', look(), { 'idempotency-key': 'second-look' });
    const first = await server.get(`${owned}/history?limit=2`);
    expect(first.body).toMatchObject({
      stream: 'function-host-a/0000:03:00.0', next: 1,
      events: [{ revision: 0, type: 'FunctionRegistered', data: { host: 'host-a' } }, { position: 1, revision: 1 }],
    });
    expect(first.headers['link']).toBe(`<${owned}/history?after=1&limit=2>; rel="next"`);
    const rest = await server.get(`${owned}/history?limit=2&after=1`);
    expect(rest.body).toMatchObject({ next: null, events: [{
      position: 2, revision: 2, type: 'ObservationConfirmed', recordedAt: '2026-11-23T17:00:00.000Z',
      idempotencyKey: 'second-look', data: { configSpaceDigest: expect.stringMatching(/^sha256:/) as string },
    }] });
    expect((await server.get(`${device}/history`)).body).toMatchObject({ status: 404, code: 'device-unknown' });
    expect((await server.get(`${owned}/history?after=x`)).body).toMatchObject({ code: 'request-invalid' });
    await server.close();
  });
});
