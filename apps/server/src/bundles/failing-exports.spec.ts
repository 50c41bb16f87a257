import { jest } from '@jest/globals';
import { EventId, StreamName, StreamRevision } from '@cadastre/event-store';
import { ExportVm } from '@cadastre/ledger';
import { decodeEvent, encodeEvent, VmId } from '@cadastre/lifecycle';
import { QueryBus } from '@nestjs/cqrs';
import { attachBody, look, TestServer } from '../testing.js';

const stream = StreamName.from('device-vm-1/nic0');

describe('an export that fails', () => {
  let server: TestServer;
  let said: string[];
  beforeEach(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look());
    await server.post('/v1/vms/vm-1/devices/nic0/attach', attachBody);
    said = [];
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await server.close();
  });

  it('over a history that lacks something is answered as an error, and the log says what it lacks', async () => {
    const [, decided] = (await server.store.readStream(stream)).events;
    if (!decided) throw new Error('an attach decides');
    const { event, envelope } = decodeEvent(decided.data);
    if (event.type !== 'LayoutDecided') throw new Error('an attach decides');
    const lacking = { ...event, observation: { ...event.observation, revision: 99 } };
    const data = encodeEvent({ event: lacking, envelope });
    await server.store.append([{ stream, expectedRevision: StreamRevision.from(1),
      events: [{ id: EventId.derive('lacking', 0), type: event.type, data }] }]);
    const reply = await server.get('/v1/vms/vm-1/bundle');
    expect([reply.status, reply.body]).toMatchObject([500, { code: 'internal-error', outcome: 'none' }]);
    expect(reply.headers['content-disposition']).toBeUndefined();
    expect(said.join('')).toMatch(/vms\/vm-1\/bundle.*function-host-a\/0000:03:00.0: it has no revision 99/);
  });

  it('since nobody could import so much is refused before anything is sent, and not a byte too early', async () => {
    const sizeBytes = Buffer.byteLength((await server.get('/v1/vms/vm-1/bundle')).text);
    const vm = VmId.from('vm-1');
    if (!vm.ok) throw new Error('a name');
    const queries = server.app.get(QueryBus);
    const refusal = { kind: 'bundle-too-large', vm: 'vm-1', position: 4, mostBytes: sizeBytes - 1 };
    expect(await queries.execute(new ExportVm(vm.value, null, sizeBytes - 1))).toEqual({ kind: 'refused', refusal });
    expect(await queries.execute(new ExportVm(vm.value, null, sizeBytes))).toMatchObject({ kind: 'found' });
  });

  it('when part of it was sent is cut, and the log says of which VM it was, and why', async () => {
    const read = server.store.readStream.bind(server.store);
    let reads = 0;
    jest.spyOn(server.store, 'readStream').mockImplementation((name, options) => {
      if (name === stream) reads += 1;
      // The first reading sees that it can be written.
      if (reads === 2) throw new Error('the disk is gone');
      return read(name, options);
    });
    await expect(server.get('/v1/vms/vm-1/bundle')).rejects.toThrow(/before completion/);
    expect(said.join('')).toMatch(/bundle of vm-1 .*the disk is gone/);
  });
});
