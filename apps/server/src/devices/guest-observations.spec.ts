import { attachBody, look, sample, sampleBytes, TestServer } from '../testing.js';

const device = '/v1/vms/vm-1/devices/nic0';
const sampleText = sample('e1000e');
const vmm = { name: 'qemu', version: '11.0' };

describe('a device and its VMM over HTTP', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look());
  });
  afterEach(() => server.close());

  const lspci = async (): Promise<string> => (await server.get(`${device}/config-space`)).text;
  const observe = (data: string, headers: Record<string, string> = {}) =>
    server.post(`${device}/observations`, { configSpace: { encoding: 'lspci', data } }, headers);

  it('is told the knob that makes the VMM obey', async () => {
    const reply = await server.post(`${device}/attach`, { ...attachBody, vmm, hotPlugOrder: 3 });
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      hotPlugOrder: 3, guest: null,
      vmm: { verdict: 'obeys-with-knob', knobs: { 'x-vpasid-cap-offset': '0x134' }, profile: { name: 'qemu-11.0' } },
    });
    expect((await server.get(device)).body).toEqual(reply.body);
  });

  it('is confirmed by a guest that reads what was decided', async () => {
    await server.post(`${device}/attach`, attachBody);
    const reply = await observe(await lspci());
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({ guest: { kind: 'confirmed', revision: 2 } });
    expect(reply.headers['etag']).toBe('"2"');
  });

  it('diverges, with the profile that explains it, where the knob was forgotten', async () => {
    const there = await server.post('/v1/vms/vm-2/devices/x/attach', {
      ...attachBody, vmm, policy: { pinned: { pasid: '0xff8' } } });
    const { predicted } = there.body['vmm'] as {
      predicted: { patches: { offset: number; mask: number; value: number }[] } };
    const rows = new Map(sampleText.split('\n').flatMap((line) => {
      const [at, bytes] = line.split(': ');
      return /^[0-9a-f]{2,3}$/.test(at ?? '') && bytes ? [[Number.parseInt(at ?? '', 16), bytes.split(' ')]] : [];
    }));
    for (const { offset, mask, value } of predicted.patches) {
      const row = rows.get(offset & ~15) ?? [];
      for (let byte = 0; byte < 4; byte += 1) {
        const [bits, put] = [(mask >>> (8 * byte)) & 0xff, (value >>> (8 * byte)) & 0xff];
        const before = Number.parseInt(row[(offset & 15) + byte] ?? '0', 16);
        row[(offset & 15) + byte] = ((before & ~bits) | put).toString(16).padStart(2, '0');
      }
    }
    const ordered = [...rows.entries()].sort(([a], [b]) => a - b).map(([, row]) => row.join(''));
    const guest = Buffer.from(ordered.join(''), 'hex');
    await server.post('/v1/vms/vm-2/devices/x/detach', {}, { 'if-match': '*' });
    await server.post(`${device}/attach`, { ...attachBody, vmm });
    const reply = await server.post(`${device}/observations`, {
      configSpace: { encoding: 'base64', data: guest.toString('base64') } });
    expect(reply.body).toMatchObject({ guest: {
      kind: 'diverged', missing: [{ name: 'pasid', offset: 0x134, insteadOffset: 0xff8 }],
      cause: { settings: {}, differingBytes: 0 },
    } });
    const { events } = (await server.get('/v1/events?limit=100')).body as {
      events: { type: string; data: { differences?: { rule: string | null }[] } }[] };
    expect(events.at(-1)?.type).toBe('LayoutDiverged');
    expect(events.at(-1)?.data.differences?.map(({ rule }) => rule)).toContain('Q17');
  });

  it('of a VF shows the IDs of its family, which the PF tells', async () => {
    const of = (name: string, address: string, sriov: object): Promise<unknown> => {
      const [first = ''] = sample(name).split(' ');
      const data = sample(name).replace(first, address.slice(5));
      return server.post('/v1/functions', look({ address, sriov, configSpace: { encoding: 'lspci', data } }));
    };
    await of('nvme-pf', '0000:06:00.0', { role: 'pf' });
    await of('nvme-vf', '0000:06:00.1', { role: 'vf', pf: '0000:06:00.0' });
    const reply = await server.post('/v1/vms/vm-3/devices/nvme0/attach', {
      function: { host: 'host-a', address: '0000:06:00.1' }, capabilities: [{ name: 'pasid' }], vmm });
    const shown = reply.body['vmm'] as { predicted: { patches: { offset: number; mask: number; value: number }[] } };
    const physical = sampleBytes('nvme-vf').readUInt32LE(0);
    const { mask = 0, value = 0 } = shown.predicted.patches.find(({ offset }) => offset === 0) ?? {};
    const { vendorId, deviceId } = (await server.get('/v1/functions/host-a/0000:06:00.0')).body['survey'] as {
      vendorId: number; deviceId: number };
    const ids = ((physical & ~mask) | value) >>> 0;
    expect([physical, ids & 0xffff, ids >>> 16]).toEqual([0xffffffff, vendorId, deviceId]);
  });

  it('gives the same answer to an observation that is sent again', async () => {
    await server.post(`${device}/attach`, attachBody);
    const text = await lspci();
    const first = await observe(text, { 'idempotency-key': 'look-1' });
    const before = await server.events();
    const again = await observe(text, { 'idempotency-key': 'look-1' });
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([first.body, 'true']);
    expect(await server.events()).toBe(before);
  });

  it('is not judged by a guest config space that stops short: nothing is recorded', async () => {
    await server.post(`${device}/attach`, attachBody);
    const before = await server.events();
    const data = Buffer.alloc(256).toString('base64');
    const reply = await server.post(`${device}/observations`, { configSpace: { encoding: 'base64', data } });
    expect([reply.status, reply.body['code'], reply.body['detail']]).toEqual(
      [422, 'guest-space-too-short', expect.stringContaining('256 bytes were read, the layout has 4096')]);
    expect(await server.events()).toBe(before);
  });

  it('is decided again while no guest has seen it, and not after', async () => {
    await server.post(`${device}/attach`, attachBody);
    const wish = { capabilities: [{ name: 'pasid' }], policy: { pinned: { pasid: '0x300' } } };
    expect((await server.post(`${device}/layout`, wish)).status).toBe(428);
    const decided = await server.post(`${device}/layout`, wish, { 'if-match': '"1"' });
    expect([decided.status, decided.body])
      .toMatchObject([200, { revision: 2, layout: { placements: [{ offset: 0x300 }] } }]);
    await observe(await lspci());
    const late = await server.post(`${device}/layout`, wish, { 'if-match': '"3"' });
    expect([late.status, late.body['code']]).toEqual([409, 'layout-seen']);
  });

  it('keeps its places when it is attached again with one more capability', async () => {
    await server.post(`${device}/attach`, { ...attachBody, policy: { pinned: { pasid: '0x300' } } });
    await server.post(`${device}/detach`, {}, { 'if-match': '"1"' });
    const capabilities = [{ name: 'pri' }, { name: 'pasid' }];
    const again = await server.post(`${device}/attach`, { ...attachBody, capabilities }, { 'if-match': '"2"' });
    const { placements } = again.body['layout'] as { placements: { name: string; offset: number }[] };
    expect(placements.map(({ name, offset }) => [name, offset])).toEqual([['pasid', 0x300], ['pri', 0x154]]);
  });

  it('has a serial number where the request gives one', async () => {
    await server.post('/v1/functions', look({ address: '0000:04:00.0',
      configSpace: { encoding: 'lspci', data: sampleText.replace('03:00.0', '04:00.0') } }));
    const reply = await server.post('/v1/vms/vm-1/devices/nvme0/attach', {
      function: { host: 'host-a', address: '0000:04:00.0' },
      capabilities: [{ name: 'dvsec', registers: { dvsecVendorId: '0x1af4', dvsecId: 7, valueHigh: '0xffffffff' } }],
    });
    expect(reply.body).toMatchObject({ layout: { placements: [{ name: 'dvsec',
      registers: { dvsecVendorId: 0x1af4, dvsecId: 7, valueHigh: 0xffffffff } }] } });
  });

  it('goes around bytes that another unit of its model has in use, and names the observation', async () => {
    const unit = sampleText.replace('03:00.0', '05:00.0').replace(/^130: 00 00 00 00 00 00/m, '130: 00 00 00 00 00 01');
    const configSpace = { encoding: 'lspci', data: unit };
    await server.post('/v1/functions', look({ address: '0000:05:00.0', configSpace }));
    const reply = await server.post(`${device}/attach`, attachBody);
    expect(reply.body).toMatchObject({ layout: {
      placements: [{ offset: 0x138 }],
      evidence: { looked: 2, captures: [{}, { source: 'function-host-a/0000:05:00.0@1' }] } } });
  });
});
