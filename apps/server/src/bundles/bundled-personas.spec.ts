import { readBundle } from '@cadastre/lifecycle';
import { look, type Reply, sampleBytes, TestServer } from '../testing.js';

const nic = '/v1/vms/vm-1/devices/nic0';
const lines = { 'content-type': 'application/x-ndjson' };
const here = { host: 'host-a', address: '0000:03:00.0' };

/** A ledger that has looked at one NIC. */
async function opened(): Promise<TestServer> {
  const server = await TestServer.open();
  await server.post('/v1/functions', look(here));
  return server;
}

/** Publishes a layout with PASID there as persona `nic`. */
async function publish(server: TestServer, pasid: string): Promise<void> {
  const { body: { layout } } = await server.post('/v1/layouts/plan', {
    function: here, capabilities: ['pasid'], policy: { strategies: ['pinned'], pinned: { pasid } } });
  expect(await server.put('/v1/personas/nic', { layout })).toMatchObject({ status: 201 });
}

async function exported(server: TestServer, query = ''): Promise<string> {
  const { status, text } = await server.get(`/v1/vms/vm-1/bundle${query}`);
  expect([status, text.slice(-1)]).toEqual([200, '\n']);
  return text;
}

function imported(server: TestServer, bundle: string): Promise<Reply> {
  const order = JSON.stringify({ target: { host: here.host, functions: { nic0: here.address } } });
  return server.post('/v1/vms/vm-1/imports', `${order}\n${bundle}`, lines);
}

/** Types of the events of a bundle that is whole. */
function eventsIn(bundle: string): readonly string[] {
  const texts = bundle.trimEnd().split('\n');
  expect(readBundle(texts)).toMatchObject({ ok: true });
  return texts.flatMap((text) => (JSON.parse(text) as { type?: string }).type ?? []);
}

describe('the bundle of a device that wears a persona', () => {
  let source: TestServer;
  let target: TestServer;
  let bundle: string;
  beforeEach(async () => {
    [source, target] = await Promise.all([opened(), opened()]);
    await publish(source, '0x400');
    const worn = await source.post(`${nic}/attach`, { function: here, capabilities: [], persona: { name: 'nic' } });
    expect(worn).toMatchObject({ status: 201, body: { layout: { persona: { name: 'nic', version: 1 } } } });
    bundle = await exported(source);
  });
  afterEach(() => Promise.all([source.close(), target.close()]));

  it('has the persona as it was published', () => {
    expect(eventsIn(bundle)).toEqual(['DeviceAttached', 'FunctionObserved', 'PersonaPublished', 'LayoutDecided']);
  });

  it('goes on from a ledger that never had the persona: the import tells which it is', async () => {
    expect(await imported(target, bundle)).toMatchObject({ status: 201 });
    const further = await exported(target);
    expect(eventsIn(further)).toEqual(['LayoutImported', 'FunctionObserved', 'LayoutDecided']);
    const third = await opened();
    expect(await imported(third, further)).toMatchObject({ status: 201, body: { devices: [{ state: 'attached' }] } });
    expect((await third.get(nic)).body['guestConfigSpaceDigest'])
      .toBe((await source.get(nic)).body['guestConfigSpaceDigest']);
    expect(eventsIn(await exported(third))).toEqual(['LayoutImported', 'FunctionObserved', 'LayoutDecided']);
    await third.close();
  });

  it('goes on when it has moved, and when it was detached, where it came to', async () => {
    await imported(target, bundle);
    const configSpace = { encoding: 'base64', data: sampleBytes('e1000e').toString('base64') };
    await target.post('/v1/functions', look({ host: 'host-b', address: '0000:07:00.0', configSpace }));
    const { body: { id } } = await target.post('/v1/vms/vm-1/migrations', {
      target: { host: 'host-b', functions: { nic0: '0000:07:00.0' } } });
    for (const [step, revision] of [['prepare', 0], ['complete', 1]] as const) {
      const moved = await target.post(`/v1/vms/vm-1/migrations/${String(id)}/${step}`, {},
        { 'if-match': `"${revision}"` });
      expect([moved.status, moved.text]).toEqual([200, moved.text]);
    }
    expect(eventsIn(await exported(target)).slice(-3)).toEqual(['DeviceMoved', 'FunctionObserved', 'LayoutDecided']);
    await target.post(`${nic}/detach`, {}, { 'if-match': '*' });
    expect(eventsIn(await exported(target)).slice(-1)).toEqual(['DeviceDetached']);
  });

  it('is not that of another persona of the same name', async () => {
    await publish(target, '0x500');
    await imported(target, bundle);
    expect(eventsIn(await exported(target))).toEqual(['LayoutImported', 'FunctionObserved', 'LayoutDecided']);
  });

  it('has the very persona where that was published before the device came, and not where it was after', async () => {
    const late = await opened();
    await imported(late, bundle);
    const position = String((await late.events()) - 1);
    const before = await exported(late);
    await publish(late, '0x400');
    await publish(target, '0x400');
    await imported(target, bundle);
    expect(eventsIn(await exported(target)))
      .toEqual(['LayoutImported', 'FunctionObserved', 'PersonaPublished', 'LayoutDecided']);
    expect(await exported(late, `?at=${position}`)).toBe(before);
    await late.close();
  });

  it('has the persona of this ledger that it wears when it is attached anew', async () => {
    await imported(target, bundle);
    await target.post(`${nic}/detach`, {}, { 'if-match': '*' });
    await publish(target, '0x400');
    const worn = await target.post(`${nic}/attach`, { function: here, capabilities: [], persona: { name: 'nic' } },
      { 'if-match': '*' });
    expect([worn.status, worn.text]).toEqual([201, worn.text]);
    expect(eventsIn(await exported(target)).slice(-3))
      .toEqual(['DeviceAttached', 'PersonaPublished', 'LayoutDecided']);
  });
});
