import { look, type Reply, sample, TestServer } from '../testing.js';

const device = '/v1/vms/vm-1/devices/nic0';
const migrations = '/v1/vms/vm-1/migrations';
const qemu = { name: 'qemu', version: '11.0' };

/** A function of another host with the bytes of a sample. */
function there(file: string, address: string, host = 'host-b'): Record<string, unknown> {
  const text = sample(file);
  const [first = ''] = text.split(' ');
  return look({ host, address, configSpace: { encoding: 'lspci', data: text.replace(first, address.slice(5)) } });
}

describe('a migration over HTTP', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', there('nic-v1', '0000:03:00.0', 'host-a'));
    await server.post('/v1/functions', there('nic-v1', '0000:07:00.0'));
    await server.post(`${device}/attach`, {
      function: { host: 'host-a', address: '0000:03:00.0' }, capabilities: [{ name: 'pasid' }], vmm: qemu });
  });
  afterEach(() => server.close());

  const plan = (change: object = {}, headers: Record<string, string> = {}): Promise<Reply> =>
    server.post(migrations, { target: { host: 'host-b', functions: { nic0: '0000:07:00.0' }, ...change } }, headers);
  const step = (id: unknown, name: string, tag: string, headers: Record<string, string> = {}): Promise<Reply> =>
    server.post(`${migrations}/${String(id)}/${name}`, {}, { 'if-match': tag, ...headers });
  const claimOf = async (host: string, address: string): Promise<unknown> =>
    (await server.get(`/v1/functions/${host}/${address}`)).body['claim'];
  const refusal = ({ status, body }: Reply): readonly unknown[] => [status, body['code'], body['outcome']];

  it('to the same model is planned, prepared and completed; the device keeps its name and places', async () => {
    const planned = await plan();
    expect(planned.body).toMatchObject({ state: 'planned', devices: [{ device: 'nic0', verdict: { reasons: [] } }] });
    expect(planned.status).toBe(201);
    const id = planned.body['id'];
    expect(await claimOf('host-b', '0000:07:00.0')).toBeNull();
    expect((await step(id, 'prepare', '"0"')).body).toMatchObject({ state: 'prepared', revision: 1 });
    expect(await claimOf('host-b', '0000:07:00.0')).toEqual({ vm: 'vm-1', device: 'nic0', migration: id });
    expect(await claimOf('host-a', '0000:03:00.0')).toEqual({ vm: 'vm-1', device: 'nic0', migration: null });
    const before = (await server.get(device)).body;
    expect((await step(id, 'complete', '"1"')).body).toMatchObject({ state: 'completed', revision: 2 });
    const after = (await server.get(device)).body;
    expect(after).toMatchObject({
      state: 'attached', function: { host: 'host-b', address: '0000:07:00.0' },
      guestConfigSpaceDigest: before['guestConfigSpaceDigest'], vmm: { knobs: { 'x-vpasid-cap-offset': '0x134' } },
    });
    expect(await claimOf('host-a', '0000:03:00.0')).toBeNull();
    expect(await claimOf('host-b', '0000:07:00.0')).toEqual({ vm: 'vm-1', device: 'nic0', migration: null });
    expect((await server.get('/v1/vms/vm-1/replay')).body).toMatchObject({ equal: true });
  });

  it('is answered again, and nothing done again, by whoever repeats a step', async () => {
    const first = await plan({}, { 'idempotency-key': 'plan-1' });
    expect((await plan({}, { 'idempotency-key': 'plan-1' })).body).toEqual(first.body);
    const id = first.body['id'];
    for (const [name, tag, state] of [['prepare', '"0"', 'prepared'], ['complete', '"1"', 'completed']] as const) {
      const done = await step(id, name, tag);
      const events = await server.events();
      const again = await step(id, name, tag);
      expect([again.status, again.body]).toEqual([200, done.body]);
      expect(again.headers['cadastre-position']).toBe(done.headers['cadastre-position']);
      expect(again.body['state']).toBe(state);
      expect(await server.events()).toBe(events);
    }
  });

  it('that is aborted leaves the target free and the device where it was', async () => {
    const id = (await plan()).body['id'];
    await step(id, 'prepare', '"0"');
    expect((await step(id, 'abort', '"1"')).body).toMatchObject({ state: 'aborted' });
    expect(await claimOf('host-b', '0000:07:00.0')).toBeNull();
    expect((await server.get(device)).body).toMatchObject({ function: { host: 'host-a' } });
    expect(refusal(await step(id, 'complete', '"2"'))).toEqual([409, 'migration-state', 'none']);
    const planned = (await plan()).body['id'];
    expect((await step(planned, 'abort', '"0"')).body).toMatchObject({ state: 'aborted' });
    expect((await server.get(migrations)).body).toMatchObject({
      migrations: [{ id, state: 'aborted' }, { id: planned, state: 'aborted' }], next: null });
  });

  it.each([
    ['the target was observed anew', 'planned', async () => {
      await server.post('/v1/functions', there('nic-v2', '0000:07:00.0'));
    }, /observed anew: revision 2/],
    ['somebody else took the target', 'planned', async () => {
      await server.post('/v1/vms/vm-9/devices/x/attach', {
        function: { host: 'host-b', address: '0000:07:00.0' }, capabilities: [] });
    }, /claimed by vm-9\/x/],
    ['the device was detached', 'planned', async () => {
      await server.post(`${device}/detach`, {}, { 'if-match': '*' });
    }, /device nic0 is detached/],
    ['the layout was decided again', 'planned', async () => {
      await server.post(`${device}/layout`, { capabilities: [] }, { 'if-match': '*' });
    }, /another layout/],
    ['the same layout was decided for another VMM', 'planned', async () => {
      await server.post(`${device}/layout`, { capabilities: [{ name: 'pasid' }], vmm: { name: 'generic' } },
        { 'if-match': '*' });
    }, /another layout/],
    ['its guest was read, and reads something else', 'planned', async () => {
      const data = sample('nic-v1');
      await server.post(`${device}/observations`, { configSpace: { encoding: 'lspci', data } });
    }, /was read since/],
    ['a device was attached that it does not take along', 'planned', async () => {
      await attachAnother();
    }, /nic1 is attached since/],
    ['the target was observed anew after it was claimed', 'prepared', async () => {
      await server.post('/v1/functions', there('nic-v2', '0000:07:00.0'));
    }, /observed anew/],
  ])('that became stale is refused with what changed: %s', async (_what, state, change, detail) => {
    const id = (await plan()).body['id'];
    if (state === 'prepared') await step(id, 'prepare', '"0"');
    await change();
    const events = await server.events();
    const reply = await step(id, state === 'planned' ? 'prepare' : 'complete', state === 'planned' ? '"0"' : '"1"');
    expect(refusal(reply)).toEqual([409, 'migration-stale', 'none']);
    expect(reply.body['detail']).toMatch(detail);
    expect(await server.events()).toBe(events);
  });

  const attachAnother = async (): Promise<Reply> => {
    await server.post('/v1/functions', there('e1000e', '0000:04:00.0', 'host-a'));
    return server.post('/v1/vms/vm-1/devices/nic1/attach', {
      function: { host: 'host-a', address: '0000:04:00.0' }, capabilities: [] });
  };

  it('that is prepared holds its VM: no device joins or leaves, no other migration is prepared', async () => {
    const id = (await plan()).body['id'];
    const other = (await plan()).body['id'];
    await step(id, 'prepare', '"0"');
    await server.post('/v1/functions', there('e1000e', '0000:04:00.0', 'host-a'));
    const events = await server.events();
    const attached = await server.post('/v1/vms/vm-1/devices/nic1/attach', {
      function: { host: 'host-a', address: '0000:04:00.0' }, capabilities: [] });
    expect(refusal(attached)).toEqual([409, 'vm-held', 'none']);
    expect(attached.body['detail']).toContain(String(id));
    expect(refusal(await server.post(`${device}/detach`, {}, { 'if-match': '*' }))).toEqual([409, 'vm-held', 'none']);
    expect(refusal(await step(other, 'prepare', '"0"'))).toEqual([409, 'migration-stale', 'none']);
    expect(await server.events()).toBe(events);
    await step(id, 'abort', '"1"');
    expect((await attachAnother()).status).toBe(201);
  });

  it('keeps its target for the device, and says so to whoever wants it', async () => {
    const id = (await plan()).body['id'];
    await step(id, 'prepare', '"0"');
    const retired = await server.post('/v1/functions/host-b/0000:07:00.0/retire', {}, { 'if-match': '*' });
    expect(refusal(retired)).toEqual([409, 'function-claimed', 'none']);
    expect(retired.body['detail']).toMatch(new RegExp(`kept for vm-1/nic0 by migration ${String(id)}`));
  });

  /** Does something between what the next command decides and what it writes. */
  const beforeNextAppend = (change: () => Promise<unknown>): void => {
    const append = server.store.append.bind(server.store);
    server.store.append = async (batch) => {
      server.store.append = append;
      await change();
      return append(batch);
    };
  };

  it.each<[string, string, () => Promise<unknown>, RegExp]>([
    ['prepare', 'the target is observed anew', () => server.post('/v1/functions', there('nic-v2', '0000:07:00.0')),
      /observed anew/],
    ['complete', 'the target is observed anew', () => server.post('/v1/functions', there('nic-v2', '0000:07:00.0')),
      /observed anew/],
    ['prepare', 'the layout is decided again', () =>
      server.post(`${device}/layout`, { capabilities: [] }, { 'if-match': '*' }), /another layout/],
  ])('does not %s when %s in the same moment', async (name, _what, change, detail) => {
    const id = (await plan()).body['id'];
    if (name === 'complete') await step(id, 'prepare', '"0"');
    beforeNextAppend(change);
    const reply = await step(id, name, name === 'complete' ? '"1"' : '"0"');
    expect(refusal(reply)).toEqual([409, 'migration-stale', 'none']);
    expect(reply.body['detail']).toMatch(detail);
  });

  it('leaves nobody behind who is attached in the moment it is prepared', async () => {
    const id = (await plan()).body['id'];
    beforeNextAppend(attachAnother);
    // The attach is first, or it is refused: either way no device is left where the VM is not.
    const prepared = await step(id, 'prepare', '"0"');
    const completed = await step(id, 'complete', '"1"');
    expect([prepared.status, completed.status]).toContain(409);
    expect((await server.get(device)).body).toMatchObject({ function: { host: 'host-a' } });
  });

  it('stands on what the PF of a target told: observed anew, it is another family', async () => {
    const pf = (host: string, file = 'igb-pf') => ({ ...there(file, '0000:01:00.0', host), sriov: { role: 'pf' } });
    const vf = (host: string) => ({
      ...there('igb-vf', '0000:02:10.0', host), sriov: { role: 'vf', pf: '0000:01:00.0' } });
    for (const host of ['host-c', 'host-d']) {
      for (const one of [pf(host), vf(host)]) await server.post('/v1/functions', one);
    }
    await server.post('/v1/vms/vm-2/devices/vf0/attach', {
      function: { host: 'host-c', address: '0000:02:10.0' }, capabilities: [] });
    const planned = await server.post('/v1/vms/vm-2/migrations', {
      target: { host: 'host-d', functions: { vf0: '0000:02:10.0' } } });
    expect(planned.status).toBe(201);
    await server.post('/v1/functions', pf('host-d', 'nvme-pf'));
    const reply = await server.post(`/v1/vms/vm-2/migrations/${String(planned.body['id'])}/prepare`, {},
      { 'if-match': '"0"' });
    expect(refusal(reply)).toEqual([409, 'migration-stale', 'none']);
    expect(reply.body['detail']).toMatch(/function-host-d\/0000:01:00.0 was observed anew/);
  });

  it('to hardware that has something else in the place is refused with the reason, nothing is recorded', async () => {
    await server.post('/v1/functions', there('nic-v2', '0000:08:00.0'));
    const events = await server.events();
    const reply = await plan({ functions: { nic0: '0000:08:00.0' } });
    expect(refusal(reply)).toEqual([422, 'migration-impossible', 'none']);
    expect(reply.body['detail']).toMatch(/PASID at 0x134 would lie over/);
    expect(await server.events()).toBe(events);
  });

  it('to newer hardware is possible with a VMM that obeys whole documents', async () => {
    await server.post('/v1/functions', there('nic-v2', '0000:08:00.0'));
    const planned = await plan({ functions: { nic0: '0000:08:00.0' }, vmm: { name: 'generic' } });
    expect(planned.body).toMatchObject({ state: 'planned', devices: [{ verdict: { verdict: 'obeys' } }] });
    const id = planned.body['id'];
    await step(id, 'prepare', '"0"');
    expect((await step(id, 'complete', '"1"')).status).toBe(200);
    const { body } = await server.get(device);
    expect(body).toMatchObject({ layout: { placements: [{ name: 'pasid', offset: 0x134 }] } });
    expect((await server.get('/v1/vms/vm-1/replay')).body).toMatchObject({ equal: true });
  });

  it('of a VM with two devices takes both or none', async () => {
    await server.post('/v1/functions', there('e1000e', '0000:04:00.0', 'host-a'));
    await server.post('/v1/vms/vm-1/devices/nic1/attach', {
      function: { host: 'host-a', address: '0000:04:00.0' }, capabilities: [], vmm: qemu });
    expect(refusal(await plan())).toEqual([422, 'migration-devices-differ', 'none']);
    const twice = await plan({ functions: { nic0: '0000:07:00.0', nic1: '0000:07:00.0' } });
    expect(refusal(twice)).toEqual([422, 'migration-impossible', 'none']);
    await server.post('/v1/functions', there('e1000e', '0000:09:00.0'));
    const both = await plan({ functions: { nic0: '0000:07:00.0', nic1: '0000:09:00.0' } });
    expect(both.body).toMatchObject({ devices: [{ device: 'nic0' }, { device: 'nic1' }] });
    await step(both.body['id'], 'prepare', '"0"');
    await step(both.body['id'], 'complete', '"1"');
    expect(await claimOf('host-b', '0000:09:00.0')).toEqual({ vm: 'vm-1', device: 'nic1', migration: null });
    expect(await claimOf('host-a', '0000:04:00.0')).toBeNull();
  });

  it.each([
    ['an unknown migration', () => step('m-0', 'prepare', '"0"'), [404, 'migration-unknown']],
    ['an unknown VM', () => server.post('/v1/vms/vm-5/migrations', {
      target: { host: 'host-b', functions: {} } }), [404, 'vm-unknown']],
    ['an unregistered target', () => plan({ functions: { nic0: '0000:1f:00.0' } }), [422, 'migration-impossible']],
    ['an unknown VMM', () => plan({ vmm: { name: 'bhyve' } }), [422, 'vmm-unknown']],
    ['no address', () => plan({ functions: { nic0: 7 } }), [400, 'request-invalid']],
    ['no target', () => server.post(migrations, {}), [400, 'request-invalid']],
  ])('with %s is refused and records nothing', async (_what, send, expected) => {
    const events = await server.events();
    expect(refusal(await send()).slice(0, 2)).toEqual(expected);
    expect(await server.events()).toBe(events);
  });

  it.each([
    'constructor', 'prototype', 'toString', 'toLocaleString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf',
    'propertyIsEnumerable', 'then', 'length',
  ])('takes a device named %s along', async (name) => {
    await server.post('/v1/functions', there('nic-v1', '0000:04:00.0', 'host-a'));
    await server.post('/v1/functions', there('nic-v1', '0000:08:00.0'));
    const named = `/v1/vms/vm-1/devices/${name}`;
    const attached = await server.post(`${named}/attach`, {
      function: { host: 'host-a', address: '0000:04:00.0' }, capabilities: [{ name: 'pasid' }], vmm: qemu });
    expect(attached.status).toBe(201);
    const planned = await plan({ functions: { nic0: '0000:07:00.0', [name]: '0000:08:00.0' } });
    expect(planned.status).toBe(201);
    await step(planned.body['id'], 'prepare', '"0"');
    expect((await step(planned.body['id'], 'complete', '"1"')).status).toBe(200);
    expect((await server.get(named)).body).toMatchObject({
      device: name, function: { host: 'host-b', address: '0000:08:00.0' } });
    expect(refusal(await plan({ functions: { nic0: 'x', [name]: 'x' } }))).toEqual([400, 'request-invalid', 'none']);
  });

  it('of a VM whose devices are all detached is about none; of one that never had any there is none', async () => {
    await server.post(`${device}/detach`, {}, { 'if-match': '*' });
    expect(refusal(await plan()).slice(0, 2)).toEqual([422, 'migration-devices-differ']);
    expect((await server.get(migrations)).body).toEqual({ vm: 'vm-1', migrations: [], next: null });
    expect(refusal(await server.get('/v1/vms/vm-5/migrations')).slice(0, 2)).toEqual([404, 'vm-unknown']);
  });

  it('is in the list of all VMs, narrowed by VM, target and state, page by page', async () => {
    const { body: { id } } = await plan();
    const second = (await plan()).body['id'];
    await server.post(`${migrations}/${String(id)}/abort`, {}, { 'if-match': '*' });
    const ids = async (query: string): Promise<readonly unknown[]> =>
      ((await server.get(`/v1/migrations?${query}`)).body['migrations'] as { id: unknown }[]).map((one) => one.id);
    expect(await ids('')).toEqual([id, second]);
    expect(await ids('state=aborted&vm=vm-1')).toEqual([id]);
    expect([await ids('host=host-a'), await ids('host=host-b&state=planned')]).toEqual([[], [second]]);
    const first = await server.get('/v1/migrations?limit=1');
    expect(first.body).toMatchObject({
      migrations: [{ vm: 'vm-1', id, state: 'aborted', revision: 1, host: 'host-b', devices: 1 }],
    });
    expect(await ids(`limit=1&after=${String(first.body['next'])}`)).toEqual([second]);
  });

  it('needs to have been seen before it is taken on: 428, and 412 for who saw something older', async () => {
    const id = (await plan()).body['id'];
    expect((await server.post(`${migrations}/${String(id)}/prepare`, {})).status).toBe(428);
    expect((await step(id, 'prepare', '"7"')).status).toBe(412);
  });
});
