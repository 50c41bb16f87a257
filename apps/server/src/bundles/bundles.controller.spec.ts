import { look, type Reply, sample, TestServer } from '../testing.js';

const nic = '/v1/vms/vm-1/devices/nic0';
const lines = { 'content-type': 'application/x-ndjson' };

function there(file: string, address: string, host: string): Record<string, unknown> {
  const text = sample(file);
  const [first = ''] = text.split(' ');
  return look({ host, address, configSpace: { encoding: 'lspci', data: text.replace(first, address.slice(5)) } });
}

describe('a bundle over HTTP', () => {
  let source: TestServer;
  let target: TestServer;
  beforeEach(async () => {
    [source, target] = await Promise.all([TestServer.open(), TestServer.open()]);
    await source.post('/v1/functions', there('nic-v1', '0000:03:00.0', 'host-a'));
    await target.post('/v1/functions', there('nic-v1', '0000:07:00.0', 'host-z'));
    await source.post(`${nic}/attach`, {
      function: { host: 'host-a', address: '0000:03:00.0' }, capabilities: [{ name: 'pasid' }],
      vmm: { name: 'qemu', version: '11.0' } });
  });
  afterEach(() => Promise.all([source.close(), target.close()]));

  const exported = async (query = ''): Promise<string> => (await source.get(`/v1/vms/vm-1/bundle${query}`)).text;
  const imported = (
    bundle: string, functions: object | null = { nic0: '0000:07:00.0' }, headers: Record<string, string> = {},
    vm = 'vm-1',
  ): Promise<Reply> => {
    const order = JSON.stringify(functions ? { target: { host: 'host-z', functions } } : {});
    return target.post(`/v1/vms/${vm}/imports`, `${order}\n${bundle}`, { ...lines, ...headers });
  };
  const refusal = ({ status, body }: Reply): readonly unknown[] => [status, body['code'], body['outcome']];

  it('leaves one ledger and comes to another: same places, same bytes, rebuilt there from events alone', async () => {
    const reply = await source.get('/v1/vms/vm-1/bundle');
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
    const there = (await source.get(nic)).body;
    const answer = await imported(reply.text);
    expect([answer.status, answer.body]).toMatchObject([201, {
      vm: 'vm-1', bundle: { format: 'cadastre.bundle/1', events: 3, layouts: 1 },
      devices: [{
        device: 'nic0', state: 'attached', target: { function: { host: 'host-z' }, verdict: { reasons: [] } } }],
    }]);
    const here = (await target.get(nic)).body;
    expect(here['guestConfigSpaceDigest']).toBe(there['guestConfigSpaceDigest']);
    expect(here).toMatchObject({ state: 'attached', function: { host: 'host-z', address: '0000:07:00.0' } });
    expect((await target.get('/v1/functions/host-z/0000:07:00.0')).body['claim']).toMatchObject({ device: 'nic0' });
    expect((await target.get('/v1/vms/vm-1/replay')).body).toMatchObject({ equal: true });
    const shown = (await source.get(`${nic}/config-space`)).text;
    expect((await target.get(`${nic}/config-space`)).text).toContain(shown.slice(shown.indexOf('\n')));
    expect((await target.get(String(answer.headers['location']))).body).toEqual(answer.body);
    expect((await target.get('/v1/devices?vm=vm-1')).body).toMatchObject({ devices: [{ state: 'attached' }] });
  });

  it('of layouts that were decided over host facts carries those, behind the bytes they were told over', async () => {
    await source.post(`${nic}/detach`, {}, { 'if-match': '*' });
    const other = '/v1/vms/vm-2/devices/nic0';
    for (const [index, release] of ['7.3.1', '7.4.0'].entries()) {
      await source.post('/v1/functions', { ...there('nic-v1', '0000:03:00.0', 'host-a'),
        kernel: { release, flavour: 'upstream' } });
      const attach = { function: { host: 'host-a', address: '0000:03:00.0' }, capabilities: [{ name: 'pasid' }] };
      await source.post(`${other}/attach`, attach, index === 0 ? {} : { 'if-match': '*' });
      if (index === 0) await source.post(`${other}/detach`, {}, { 'if-match': '*' });
    }
    const bundle = (await source.get('/v1/vms/vm-2/bundle')).text;
    const told = bundle.split('\n').map((line) => (line === '' ? {} : JSON.parse(line) as { type?: string }));
    expect(told.flatMap(({ type }) => type ?? [])).toEqual([
      'DeviceAttached', 'FunctionObserved', 'HostFactsObserved', 'LayoutDecided', 'DeviceDetached', 'DeviceAttached',
      'HostFactsObserved', 'LayoutDecided']);
    const answer = await imported(bundle, { nic0: '0000:07:00.0' }, {}, 'vm-2');
    expect([answer.status, answer.body]).toMatchObject([201, { devices: [{ state: 'attached' }] }]);
    expect((await target.get(other)).body['guestConfigSpaceDigest'])
      .toBe((await source.get(other)).body['guestConfigSpaceDigest']);
    expect((await target.get('/v1/vms/vm-2/replay')).body).toMatchObject({ equal: true });
  });

  it('may lack the line break behind its last line', async () => {
    const bundle = await exported();
    expect((await imported(bundle.trimEnd())).status).toBe(201);
    expect((await source.post('/v1/vms/vm-1/imports', `{}\n${bundle}\n`, lines)).body).toMatchObject({
      code: 'bundle-damaged', refusal: { problem: 'something follows the last line' } });
  });

  it('is exported as of a moment, and equal to what was exported then', async () => {
    const before = await exported();
    const position = String((await source.events()) - 1);
    await source.post(`${nic}/pasids/reset`, { cause: 'reset' }, { 'if-match': '*' });
    expect(await exported()).not.toBe(before);
    expect(await exported(`?at=${position}`)).toBe(before);
  });

  it('of a detached device brings its places back: who attaches it finds them where they were', async () => {
    await source.post(`${nic}/detach`, {}, { 'if-match': '*' });
    const answer = await imported(await exported(), null);
    expect(answer.body).toMatchObject({ devices: [{ state: 'detached', target: null }] });
    expect((await target.get(nic)).body).toMatchObject({ state: 'detached', lastFunction: { host: 'host-a' } });
    const attached = await target.post(`${nic}/attach`, {
      function: { host: 'host-z', address: '0000:07:00.0' }, capabilities: [{ name: 'pasid' }] }, { 'if-match': '*' });
    expect(attached.body).toMatchObject({ layout: { placements: [{ offset: 0x134 }] } });
  });

  it('is imported once, however often it is sent', async () => {
    const bundle = await exported();
    const first = await imported(bundle, undefined, { 'idempotency-key': 'once' });
    const events = await target.events();
    const again = await imported(bundle, undefined, { 'idempotency-key': 'once' });
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([201, first.body, 'true']);
    expect(await target.events()).toBe(events);
    expect(refusal(await imported(bundle))).toEqual([422, 'import-impossible', 'none']);
  });

  it('has no precondition, also over a device that was detached here', async () => {
    const bundle = await exported();
    await imported(bundle);
    await target.post(`${nic}/detach`, {}, { 'if-match': '*' });
    const again = await imported(bundle, undefined, { 'if-match': '"7"' });
    expect([again.status, again.body]).toMatchObject([201, { devices: [{ device: 'nic0', state: 'attached' }] }]);
    expect((await target.get(nic)).body).toMatchObject({ state: 'attached', function: { host: 'host-z' } });
  });

  it('keeps what a guest has found: it is not decided again where it comes to', async () => {
    const text = (await source.get(`${nic}/config-space`)).text;
    await source.post(`${nic}/observations`, { configSpace: { encoding: 'lspci', data: text } });
    await imported(await exported());
    const again = await target.post(`${nic}/layout`, { capabilities: [] }, { 'if-match': '*' });
    expect(refusal(again)).toEqual([409, 'layout-seen', 'none']);
  });

  it.each<[string, () => Promise<Reply>, readonly unknown[]]>([
    ['that was changed', async () => imported((await exported()).replace('"revision":1', '"revision":7')),
      [422, 'bundle-damaged', 'none']],
    ['that was cut', async () => imported((await exported()).slice(0, -40)), [422, 'bundle-damaged', 'none']],
    ['with a member told twice', async () => imported((await exported()).replace('"id":', '"id":"x","id":')),
      [422, 'bundle-damaged', 'none']],
    ['with line breaks of another system', async () => imported((await exported()).replaceAll('\n', '\r\n')),
      [422, 'bundle-damaged', 'none']],
    ['of another format', () => imported('{"line":"bundle","format":"x/9"}'),
      [422, 'bundle-of-another-format', 'none']],
    ['of another VM', async () => imported(await exported(), undefined, {}, 'vm-2'),
      [422, 'bundle-of-another-vm', 'none']],
    ['without a target', async () => imported(await exported(), null), [422, 'import-devices-differ', 'none']],
    ['with a target for nobody', async () => imported(await exported(), { nic0: '0000:07:00.0', nic1: '0000:07:00.1' }),
      [422, 'import-devices-differ', 'none']],
    ['to a function nobody registered', async () => imported(await exported(), { nic0: '0000:1f:00.0' }),
      [404, 'function-not-registered', 'none']],
    ['to what is no address', async () => imported(await exported(), { nic0: 7 }), [400, 'request-invalid', 'none']],
    ['without a first line', async () => target.post('/v1/vms/vm-1/imports', 'x', lines),
      [400, 'body-malformed', 'none']],
    ['as JSON', async () => target.post('/v1/vms/vm-1/imports', {}), [415, 'media-type-unsupported', 'none']],
    ['where no lines are taken', async () => target.post('/v1/functions', '{}', lines),
      [415, 'media-type-unsupported', 'none']],
  ])('%s is refused and records nothing', async (_what, send, expected) => {
    const events = await target.events();
    const reply = await send();
    expect(refusal(reply)).toEqual(expected);
    expect(await target.events()).toBe(events);
  });

  it('to hardware that shows something else in the place is refused with the verdict', async () => {
    await target.post('/v1/functions', there('nic-v2', '0000:08:00.0', 'host-z'));
    const reply = await imported(await exported(), { nic0: '0000:08:00.0' });
    expect(refusal(reply)).toEqual([422, 'import-impossible', 'none']);
    expect(reply.body['detail']).toMatch(/nic0 to host-z\/0000:08:00.0: .*0x134/);
  });

  it.each(['constructor', 'prototype', 'toString'])('brings a device named %s along', async (name) => {
    await source.post('/v1/functions', there('nic-v1', '0000:04:00.0', 'host-a'));
    await target.post('/v1/functions', there('nic-v1', '0000:08:00.0', 'host-z'));
    await source.post(`/v1/vms/vm-1/devices/${name}/attach`, {
      function: { host: 'host-a', address: '0000:04:00.0' }, capabilities: [{ name: 'pasid' }] });
    const reply = await imported(await exported(), { nic0: '0000:07:00.0', [name]: '0000:08:00.0' });
    expect(reply.status).toBe(201);
    expect((await target.get(`/v1/vms/vm-1/devices/${name}`)).body).toMatchObject({
      state: 'attached', function: { host: 'host-z', address: '0000:08:00.0' } });
  });

  it('of a VM that is attached here, or held by a migration, is refused', async () => {
    const bundle = await exported();
    await target.post('/v1/functions', there('nic-v1', '0000:09:00.0', 'host-z'));
    await imported(bundle);
    expect(refusal(await imported(bundle, { nic0: '0000:09:00.0' }))).toEqual([409, 'device-attached', 'none']);
    await target.post('/v1/functions', there('nic-v1', '0000:0a:00.0', 'host-y'));
    const planned = await target.post('/v1/vms/vm-1/migrations', {
      target: { host: 'host-y', functions: { nic0: '0000:0a:00.0' } } });
    const prepare = `/v1/vms/vm-1/migrations/${String(planned.body['id'])}/prepare`;
    await target.post(prepare, {}, { 'if-match': '"0"' });
    expect(refusal(await imported(bundle, { nic0: '0000:09:00.0' }))).toEqual([409, 'vm-held', 'none']);
  });

  it('of a VM nobody knows is not found', async () => {
    expect(refusal(await source.get('/v1/vms/vm-9/bundle'))).toEqual([404, 'vm-unknown', 'none']);
    expect(refusal(await source.get('/v1/vms/vm-1/bundle?at=0'))).toEqual([404, 'not-yet', 'none']);
    expect(refusal(await target.get('/v1/vms/vm-1/imports/i-0'))).toEqual([404, 'import-unknown', 'none']);
  });
});
