import { RequestMethod } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { attachBody, look, type Reply, sampleBytes, TestServer } from '../testing.js';
import { queryParametersOf } from './query-parameters.js';

const device = '/v1/vms/vm-1/devices/nic0';
const owned = '/v1/functions/host-a/0000:03:00.0';
const pf = '0000:03:00.7';

/** Every route that is read, with what is asked of it. */
const resources: Readonly<Record<string, readonly string[]>> = {
  '/v1/functions': ['', '?claimed=true', '?vm=vm-1&capability=aer', '?host=host-b&model=8086:10d3'],
  '/v1/functions/:host/:address': [owned, `/v1/functions/host-a/${pf}`],
  '/v1/functions/:host/:address/family': [`${owned}/family`, `/v1/functions/host-a/${pf}/family`],
  '/v1/functions/:host/:address/history': [`${owned}/history`],
  '/v1/devices': ['', '?state=attached', '?host=host-b', '?capability=pasid&model=8086:10d3'],
  '/v1/vms': [''],
  '/v1/vms/:vm/replay': ['/v1/vms/vm-1/replay'],
  '/v1/vms/:vm/devices/:device': [device],
  '/v1/vms/:vm/devices/:device/config-space': [`${device}/config-space`],
  '/v1/vms/:vm/devices/:device/history': [`${device}/history`],
  '/v1/vms/:vm/devices/:device/pasids': [`${device}/pasids`],
  '/v1/vms/:vm/devices/:device/layout': [`${device}/layout`],
  '/v1/vms/:vm/devices/:device/explain': [`${device}/explain`, `${device}/explain?byte=0x134`],
  '/v1/vms/:vm/bundle': ['/v1/vms/vm-1/bundle'],
  '/v1/vms/:vm/imports/:id': [],
  '/v1/vms/:vm/migrations': ['/v1/vms/vm-1/migrations'],
  '/v1/vms/:vm/migrations/:id': [],
  '/v1/migrations': ['', '?state=planned', '?vm=vm-1&host=host-b', '?state=completed'],
  '/v1/audit/clashes': ['', '?kind=layout-endangered', '?vm=vm-1'],
  '/v1/personas/:name': ['/v1/personas/nic'],
};

/** Routes that have no past, and why. */
const without: Readonly<Record<string, string>> = {
  '/v1/events': 'the log itself, which is read from a position on',
  '/v1/vmm-profiles': 'a part of the program', '/': 'where to begin',
  '/healthz': 'about the process', '/readyz': 'about the process', '/problems/:code': 'a page of the manual',
};

const urls = Object.entries(resources).flatMap(([route, asked]) =>
  asked.map((one) => (one === '' || one.startsWith('?') ? route + one : one)));

async function readAll(server: TestServer, at: string | null): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (const url of urls) {
    replies.push(await server.get(at === null ? url : `${url}${url.includes('?') ? '&' : '?'}at=${at}`));
  }
  return replies;
}

/** Routes that answer GET, and the query parameters each knows. */
function getRoutes({ app }: TestServer): readonly { readonly path: string; readonly parameters: readonly string[] }[] {
  return [...app.get(ModulesContainer).values()].flatMap(({ controllers }) => [...controllers.values()])
    .flatMap(({ metatype }) => {
      if (typeof metatype !== 'function') return [];
      const prototype = metatype.prototype as Readonly<Record<string, object>>;
      return Object.getOwnPropertyNames(prototype).flatMap((name) => {
        const handler = prototype[name];
        if (!handler || Reflect.getMetadata('method', handler) !== RequestMethod.GET) return [];
        const parts = [Reflect.getMetadata('path', metatype), Reflect.getMetadata('path', handler)] as string[];
        const path = `/${parts.map((part) => part.replace(/^\/|\/$/g, '')).filter((part) => part !== '').join('/')}`;
        return [{ path, parameters: queryParametersOf(handler) }];
      });
    });
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

  it('is known to every route that is read, but for those without a past', () => {
    const routes = getRoutes(server);
    const known = Object.fromEntries(routes.map(({ path, parameters }) => [path, parameters.includes('at')]));
    expect(known).toEqual(Object.fromEntries([
      ...Object.keys(resources).map((path) => [path, true]), ...Object.keys(without).map((path) => [path, false]),
    ]));
  });

  it('answers every resource as it was answered then, with the position asked for and the ETag of then', async () => {
    const encoded = (edit: (bytes: Buffer) => void = () => undefined): object => {
      const bytes = sampleBytes('e1000e');
      edit(bytes);
      return { encoding: 'base64', data: bytes.toString('base64') };
    };
    const vf = { role: 'vf', pf };
    const platform = { viommuSsidBits: 20, ports: [{ address: '0000:00:01.0', endEndTlpPrefix: true }] };
    const any = { 'if-match': '*' };
    let migration = '';
    const advance = (step: string) => (): Promise<Reply> => server.post(`${migration}/${step}`, {}, any);
    const steps: readonly (() => Promise<Reply>)[] = [
      () => server.post('/v1/functions', look()),
      () => server.post(`${device}/attach`, attachBody),
      () => server.post('/v1/functions', look({ configSpace: encoded((bytes) => bytes.writeUInt8(7, 8)), sriov: vf })),
      () => server.post('/v1/functions', look({ address: pf, configSpace: encoded(), sriov: { role: 'pf' } })),
      () => server.post(`${device}/pasids/enable`, { platform }, any),
      () => server.post('/v1/functions', look({ configSpace: encoded((bytes) => bytes.writeUInt8(7, 0x137)) })),
      () => server.post('/v1/functions', look()),
      () => server.post(`${device}/detach`, { reason: 'moved' }, any),
      () => server.post(`${device}/attach`, { ...attachBody, policy: { pinned: { pasid: '0x200' } } }, any),
      () => server.post('/v1/functions', look({ host: 'host-b' })),
      async () => {
        const planned = await server.post('/v1/vms/vm-1/migrations', {
          target: { host: 'host-b', functions: { nic0: '0000:03:00.0' } } });
        migration = String(planned.headers['location']);
        return planned;
      },
      advance('prepare'), advance('complete'),
      () => server.post(`${owned}/retire`, {}, any),
    ];
    const then: (readonly [string, readonly Reply[]])[] = [];
    for (const step of steps) {
      const { headers, status, text } = await step();
      expect(status < 300 ? '' : text).toBe('');
      then.push([String(headers['cadastre-position']), await readAll(server, null)]);
    }
    for (const [position, replies] of then) {
      const past = (await readAll(server, position)).map(told);
      for (const [index, reply] of replies.entries()) {
        expect([position, urls[index], past[index]]).toEqual([position, urls[index], told(reply)]);
      }
    }
  });

  it('between the two events of an attach has a device, and says where its layout begins', async () => {
    await server.post('/v1/functions', look());
    await server.post(`${device}/attach`, attachBody);
    expect((await server.get(`${device}?at=2`)).body).toMatchObject({ state: 'attached', layout: null });
    expect((await server.get(`${device}/config-space?at=2`)).body).toMatchObject({
      status: 404, code: 'layout-undecided', refusal: { since: 3 },
      detail: 'vm-1/nic0 was just attached there; its layout is decided at position 3',
    });
    expect((await server.get(`${device}/config-space?at=3`)).status).toBe(200);
    expect((await server.get('/v1/devices?at=2')).body).toMatchObject({ devices: [{ layoutDigest: null }] });
  });

  it('leads through a narrowed list of the past, of which a page may hold less than it could', async () => {
    const configSpace = { encoding: 'base64', data: sampleBytes('e1000e').toString('base64') };
    for (const address of ['0000:03:00.0', '0000:03:00.1', '0000:03:00.2']) {
      await server.post('/v1/functions', look({ address, configSpace }));
    }
    await server.post(`${device}/attach`, { ...attachBody, function: { host: 'host-a', address: '0000:03:00.1' } });
    await server.post(`${device}/detach`, {}, { 'if-match': '*' });
    const found: unknown[] = [];
    for (let url = '/v1/functions?claimed=true&limit=1&at=8'; ;) {
      const { body, headers } = await server.get(url);
      found.push(...body['functions'] as unknown[]);
      if (body['next'] === null) break;
      url = /^<(.*)>; rel="next"$/.exec(String(headers['link']))?.[1] ?? '';
    }
    expect(found).toMatchObject([{ address: '0000:03:00.1', claim: { vm: 'vm-1' } }]);
    expect((await server.get('/v1/functions?claimed=true')).body).toMatchObject({ functions: [], next: null });
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
