import { attachBody, look, type Reply, sampleBytes, TestServer } from '../testing.js';

const attach = '/v1/vms/vm-1/devices/nic0/attach';
const bytesOf = (bytes: Uint8Array): object => ({ encoding: 'base64', data: Buffer.from(bytes).toString('base64') });
const withBytes = (edit: (bytes: Buffer) => void): Record<string, unknown> => {
  const bytes = sampleBytes('e1000e');
  edit(bytes);
  return look({ configSpace: bytesOf(bytes) });
};
const halfACharacter = JSON.stringify(look({ configSpace: { encoding: 'lspci', data: '\ud800' } }));
const pinned = (pasid: string): object => ({ ...attachBody, policy: { pinned: { pasid } } });
const pasid = (change: object): object => ({ ...attachBody, capabilities: [{ name: 'pasid', ...change }] });

/** A problem names the field, the value and the limit, and says that nothing was written. */
function expectProblem(reply: Reply, status: number, code: string, detail: RegExp): void {
  expect(reply.body).toMatchObject({
    status, code, type: `/problems/${code}`, outcome: 'none', title: expect.any(String) as unknown,
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown, detail: expect.stringMatching(detail) as unknown,
  });
  expect(reply.status).toBe(status);
  expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
}

describe('a refused registration', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.open();
  });
  afterEach(async () => expect(await server.events()).toBe(0));
  afterAll(() => server.close());

  it.each([0, 64, 255, 4097])('a config space of %i bytes', async (size) => {
    const reply = await server.post('/v1/functions', look({ configSpace: bytesOf(new Uint8Array(size)) }));
    expectProblem(reply, 400, 'config-space-unreadable', new RegExp(`${size} bytes; allowed is 256 or 4096 bytes`));
    expect(reply.body['errors']).toEqual([
      { pointer: '/configSpace/data', detail: 'wrong size', value: size, limit: '256 or 4096 bytes' },
    ]);
  });

  it('a text dump with a missing row', async () => {
    const { configSpace } = look() as { configSpace: { data: string } };
    const data = configSpace.data.replace(/^050:.*\n|^50:.*\n/m, '');
    const reply = await server.post('/v1/functions', look({ configSpace: { encoding: 'lspci', data } }));
    expectProblem(reply, 400, 'config-space-unreadable', /line 7, column 1: expected row 50, found row 60/);
  });

  it.each([
    ['a dump of another function', { encoding: 'lspci', data: '01:00.0 x\n00: 00\n' }, /01:00\.0|bytes/],
    ['hex that is none', { encoding: 'hex', data: '00 zz' }, /line 1, column 4: not a byte/],
    ['base64 that is none', { encoding: 'base64', data: '!!!!' }, /not base64/],
  ])('%s', async (_what, configSpace, detail) => {
    expectProblem(await server.post('/v1/functions', look({ configSpace })), 400, 'config-space-unreadable', detail);
  });

  it.each([
    ['device above 1f', '0000:3b:20.1', /device 00\.\.1f/],
    ['function above 7', '0000:3b:00.8', /function 0\.\.7/],
    ['no address at all', 'hello', /\[dddd:\]bb:dd\.f/],
  ])('an address with %s', async (_what, address, detail) => {
    expectProblem(await server.post('/v1/functions', look({ address })), 400, 'request-invalid', detail);
  });

  it.each([
    ['an unknown field', { colour: 'red' }, /colour/],
    ['a host with a slash', { host: 'a/b' }, /1 to 64 letters/],
    ['an encoding nobody knows', { configSpace: { encoding: 'xml', data: '' } }, /encoding/],
    ['a PASID width of 21 bits', { iommu: { maxPasidLog2: 21, exec: false, priv: false, atsSupported: true } }, /20/],
    ['a role nobody plays', { sriov: { role: 'king' } }, /role/],
    ['no kernel', { kernel: undefined }, /kernel/],
    ['a list for an object', { iommu: [] }, /iommu/],
    ['a text for an object', { kernel: 'linux' }, /kernel/],
    ['null for an object', { sriov: null }, /sriov/],
  ])('%s', async (_what, change, detail) => {
    expectProblem(await server.post('/v1/functions', look(change)), 400, 'request-invalid', detail);
  });

  it('no idempotency key', async () => {
    const response = await server.app.inject({ method: 'POST', url: '/v1/functions', payload: look() });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([400, 'idempotency-key-missing']);
  });

  it('a body over 1 MiB', async () => {
    const data = 'x'.repeat(1024 * 1024);
    const reply = await server.post('/v1/functions', look({ configSpace: { encoding: 'hex', data } }));
    expectProblem(reply, 413, 'body-too-large', /1048576 bytes/);
  });

  it.each([
    ['that is not JSON', '{"host":', 400, 'body-malformed', {}],
    ['of another media type', '<xml/>', 415, 'media-type-unsupported', { 'content-type': 'application/xml' }],
    ['nested a thousand lists deep', `${'['.repeat(1000)}${']'.repeat(1000)}`, 400, 'request-invalid', {}],
    ['nested in an unknown field', `{"a":${'{"b":'.repeat(5000)}1${'}'.repeat(5001)}`, 400, 'request-invalid', {}],
    ['sent as plain text', '{}', 415, 'media-type-unsupported', { 'content-type': 'text/plain' }],
    ['sent as a form', 'a=1', 415, 'media-type-unsupported', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['with half a character', halfACharacter, 400, 'config-space-unreadable', {}],
  ] satisfies [string, string, number, string, Record<string, string>][])('a body %s', async (...row) => {
    const [, body, status, code, headers] = row;
    const reply = await server.post('/v1/functions', body, headers);
    expect(reply.status).toBe(status);
    expect(reply.body['code']).toBe(code);
  });

  it.each(['toString', 'constructor', 'prototype', 'valueOf', 'hasOwnProperty'])('a field named %s', async (name) => {
    expectProblem(await server.post('/v1/functions', look({ [name]: 1 })), 400, 'request-invalid', new RegExp(name));
    const kernel = { release: '7.2', flavour: 'upstream', [name]: 1 };
    expectProblem(await server.post('/v1/functions', look({ kernel })), 400, 'request-invalid', new RegExp(name));
  });

  // Where a device of a migration is named, they are names of devices; nowhere else, however a pointer is spelt.
  it.each([
    ['in a body', (functions: string) => `{"target":{"host":"h","functions":${functions}}}`],
    ['in a member that is named so', (functions: string) => `{"target/functions":${functions}}`],
    ['in a member body', (functions: string) => `{"body":{"target":{"functions":${functions}}}}`],
  ])('members that every object has, of functions %s of another route', async (_where, body) => {
    for (const name of ['toString', 'constructor', 'prototype', '__proto__', '__defineGetter__']) {
      for (const [route, method] of [['/v1/functions', 'POST'], ['/v1/personas/p', 'PUT']] as const) {
        const headers = { 'idempotency-key': 'own', 'content-type': 'application/json' };
        const payload = body(`{"${name}":"0000:03:00.0"}`);
        const { statusCode } = await server.app.inject({ method, url: route, headers, payload });
        expect([route, name, statusCode]).toEqual([route, name, 400]);
      }
    }
  });

  it.each(['__proto__', '__defineGetter__', '.', ''])('a migration of a device named "%s"', async (name) => {
    const functions = `{"nic0":"0000:03:00.0","${name}":"0000:03:00.0"}`;
    const reply = await server.post('/v1/vms/vm-1/migrations', `{"target":{"host":"h","functions":${functions}}}`);
    expect(reply).toMatchObject({ status: 400, body: { outcome: 'none' } });
    const headers = { 'content-type': 'application/x-ndjson' };
    const brought = await server.post('/v1/vms/vm-1/imports', `{"target":{"host":"h","functions":${functions}}}\n{}\n`,
      headers);
    expect(brought).toMatchObject({ status: 400, body: { outcome: 'none' } });
  });

  it('a member of an address, where the address of a function is to be', async () => {
    for (const address of [{ toString: 1 }, { constructor: { name: 'x' } }, [{ valueOf: 1 }], null, 7]) {
      const target = { host: 'h', functions: { constructor: address } };
      const reply = await server.post('/v1/vms/vm-1/migrations', { target });
      expect([reply.status, reply.body['code']]).toEqual([400, 'request-invalid']);
    }
  });

  it('a physical function of something that is no VF', async () => {
    const reply = await server.post('/v1/functions', look({ sriov: { role: 'pf', pf: '0000:03:00.1' } }));
    expectProblem(reply, 400, 'request-invalid', /only a VF has a physical function/);
  });

  it('a dump that names the function twice', async () => {
    const { configSpace } = look() as { configSpace: { data: string } };
    const data = `${configSpace.data}\n${configSpace.data}`;
    const reply = await server.post('/v1/functions', look({ configSpace: { encoding: 'lspci', data } }));
    expectProblem(reply, 400, 'config-space-unreadable', /0000:03:00\.0 more than once/);
  });

  it('bytes that are not UTF-8, which must not be recorded as something else', async () => {
    const payload = Buffer.concat([Buffer.from('{"host":"a'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    const headers = { 'idempotency-key': 'utf', 'content-type': 'application/json' };
    const response = await server.app.inject({ method: 'POST', url: '/v1/functions', headers, payload });
    expect(response.json()).toMatchObject({ status: 400, code: 'body-malformed', detail: 'Body is not valid UTF-8' });
  });

  it.each([
    { 'content-type': 'application/json; charset=utf-16' }, { 'content-encoding': 'gzip' },
  ] satisfies Record<string, string>[])('a body in a form nobody reads: %j', async (headers) => {
    const reply = await server.post('/v1/functions', look(), headers);
    expectProblem(reply, 415, 'media-type-unsupported', /UTF-8/);
  });

  it.each(['/v1/vms/%/devices/d', '/v1/vms/%ff/devices/d', `/v1/vms/${'a'.repeat(2000)}/devices/d`])(
    'a path that cannot be read: %#', async (url) => {
      const reply = await server.get(url);
      expectProblem(reply, 400, 'request-unreadable', /./);
    });

  it('a path nobody serves', async () => {
    expectProblem(await server.get('/v1/nothing'), 404, 'not-found', /GET \/v1\/nothing/);
  });

  it.each(['0', '1001', 'x', '-1', '1.5'])('a page of %s', async (limit) => {
    expectProblem(await server.get(`/v1/events?limit=${limit}`), 400, 'request-invalid', /1\.\.1000/);
  });

  it.each(['***', 'AAAA', 'x y'])('a cursor of %s', async (after) => {
    const reply = await server.get(`/v1/functions?after=${encodeURIComponent(after)}`);
    expectProblem(reply, 400, 'request-invalid', /not a cursor/);
  });

  it.each([
    '/v1/events?at=3', '/v1/functions?since=3', '/healthz?x=1',
  ])('a query nobody knows: %s', async (url) => {
    expectProblem(await server.get(url), 400, 'request-invalid', /unknown query parameter/);
  });

  it.each(['x', '-1', '1.5'])('a position of %s', async (after) => {
    expectProblem(await server.get(`/v1/events?after=${after}`), 400, 'request-invalid', /whole number/);
  });
});

describe('a refused attach', () => {
  let server: TestServer;
  let recorded: number;
  beforeAll(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look());
    recorded = await server.events();
  });
  afterEach(async () => expect(await server.events()).toBe(recorded));
  afterAll(() => server.close());

  it('of an unknown function', async () => {
    const body = { ...attachBody, function: { host: 'host-a', address: '0000:09:00.0' } };
    expectProblem(await server.post(attach, body), 404, 'function-not-registered', /host-a\/0000:09:00\.0/);
  });

  it.each([0, 21, 1.5])('with a PASID width of %d', async (width) => {
    const reply = await server.post(attach, pasid({ width }));
    expectProblem(reply, 400, 'request-invalid', /\/capabilities\/0\/width/);
    expect(reply.body['errors']).toMatchObject([{ pointer: '/capabilities/0/width', value: width }]);
  });

  it.each([
    ['unaligned', '0x102', /offset 0x102 is not a multiple of 4/],
    ['below 0x100', '0xfc', /offset 0xfc is not in 0x100\.\.0xff8/],
    ['over a body', '0x110', /0x110\.\.0x117 meets AER at 0x100\.\.0x12b/],
    ['at 0xffc', '0xffc', /offset 0xffc is not in 0x100\.\.0xff8/],
    ['that meets a body with its second half', '0x13c', /0x13c\.\.0x143 meets DSN at 0x140\.\.0x14b/],
  ])('with a pinned offset %s', async (_what, offset, detail) => {
    expectProblem(await server.post(attach, pinned(offset)), 422, 'no-place', detail);
  });

  it.each([
    ['a pinned offset that is no number', pinned('high'), /pinned\/pasid/],
    ['a capability nobody builds', { ...attachBody, capabilities: [{ name: 'warp' }] }, /capabilities\/0\/name/],
    ['an offset pinned that no strategy looks at', {
      ...attachBody, policy: { pinned: { pasid: '0x300' }, strategies: ['gap'] },
    }, /\/policy\/strategies/],
    ['a strategy nobody has', { ...attachBody, policy: { strategies: ['luck'] } }, /strategies/],
    ['a list for a capability', { ...attachBody, capabilities: [[]] }, /capabilities/],
    ['a list for a policy', { ...attachBody, policy: [] }, /policy/],
    ['a number for a capability', { ...attachBody, capabilities: [7] }, /capabilities/],
    ['an unknown field deep inside', pasid({ depth: 1 }), /capabilities\/0\/depth/],
  ])('with %s', async (_what, body, detail) => {
    expectProblem(await server.post(attach, body), 400, 'request-invalid', detail);
  });

  it.each([
    ['a VMM nobody knows', { ...attachBody, vmm: { name: 'bhyve', version: '14' } }, 'vmm-unknown', /bhyve 14/],
    ['a serial number without a number', { ...attachBody, capabilities: [{ name: 'dsn' }] },
      'registers-missing', /dsn/],
    ['a register nobody has', { ...attachBody, capabilities: [{ name: 'dsn', registers: { serial: 1 } }] },
      'register-unknown', /no field serial/],
    ['a register that is too wide', { ...attachBody,
      capabilities: [{ name: 'nvidia-clique', registers: { clique: 16 } }] }, 'register-out-of-range', /0\.\.15/],
  ])('with %s', async (_what, body, code, detail) => {
    expectProblem(await server.post(attach, body), 422, code, detail);
  });

  it.each([
    ['a setting that is an object', { ...attachBody, vmm: { name: 'qemu', version: '11.0', settings: { ats: {} } } },
      /\/vmm\/settings\/ats/],
    ['a port nobody has', { ...attachBody, vmm: { name: 'qemu', version: '11.0', port: 'usb' } }, /\/vmm\/port/],
    ['registers for PASID', { ...attachBody, capabilities: [{ name: 'pasid', registers: { x: 1 } }] }, /registers/],
    ['text for a register', { ...attachBody, capabilities: [{ name: 'dsn', registers: { serialNumberLower: 'x' } }] },
      /serialNumberLower/],
  ])('with %s', async (_what, body, detail) => {
    expectProblem(await server.post(attach, body), 400, 'request-invalid', detail);
  });

  it('with a capability named twice', async () => {
    const body = { ...attachBody, capabilities: [{ name: 'pasid' }, { name: 'pasid' }] };
    expectProblem(await server.post(attach, body), 422, 'capability-wanted-twice', /pasid is wanted twice/);
  });

  it('with a permission the IOMMU lacks', async () => {
    expectProblem(await server.post(attach, pasid({ exec: true })), 422, 'pasid-execute-not-supported', /iommu\.exec/);
  });

  it('under a VM name with a slash in it', async () => {
    const reply = await server.post('/v1/vms/a%2Fb/devices/x/attach', attachBody);
    expectProblem(reply, 400, 'request-invalid', /1 to 64 letters/);
  });

  it('with the key of another request', async () => {
    const reply = await server.post(attach, attachBody, { 'idempotency-key': 'key-1' });
    expectProblem(reply, 422, 'key-reused', /key-1 belongs to a request with other content/);
  });

  it('with a stale If-Match', async () => {
    expectProblem(await server.post(attach, attachBody, { 'if-match': '"7"' }), 412, 'revision-stale',
      /does not exist, the request expects revision 7/);
  });

  it.each(['7', 'W/"7"', '"x"', '""'])('with an If-Match of %s', async (tag) => {
    expectProblem(await server.post(attach, attachBody, { 'if-match': tag }), 400, 'request-invalid', /If-Match/);
  });
});

describe('an attach over a device that lies', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  it.each([
    ['all ones', withBytes((bytes) => bytes.fill(0xff)), 'function-gone', /0xff/],
    ['a loop in its list', withBytes((bytes) => bytes.writeUInt32LE(0x10010003, 0x140)), 'extended-list-broken',
      /0x140 leads back to 0x100/],
    ['a pointer into the header', withBytes((bytes) => bytes.writeUInt32LE(0x04010003, 0x140)), 'extended-list-broken',
      /0x140 leads to 0x40, below 0x100/],
    ['no extended space', look({ configSpace: bytesOf(sampleBytes('e1000e').subarray(0, 256)) }), 'no-extended-space',
      /256 bytes/],
    ['PASID width 0', look({ iommu: { maxPasidLog2: 0, exec: false, priv: false, atsSupported: true } }),
      'pasid-not-supported', /maxPasidLog2 = 0/],
  ])('%s is refused, though the function itself is on record', async (_what, body, code, detail) => {
    expect((await server.post('/v1/functions', body)).status).toBe(201);
    const recorded = await server.events();
    expectProblem(await server.post(attach, attachBody), 422, code, detail);
    expect(await server.events()).toBe(recorded);
  });

  it('two VMs at once: one has it, the other is told who', async () => {
    await server.post('/v1/functions', look());
    const replies = await Promise.all(['vm-1', 'vm-2'].map((vm) =>
      server.post(`/v1/vms/${vm}/devices/nic0/attach`, attachBody)));
    expect(replies.map((one) => one.status).sort()).toEqual([201, 409]);
    const loser = replies.find((one) => one.status === 409);
    if (!loser) throw new Error('nobody lost');
    expectProblem(loser, 409, 'function-claimed', /is claimed by vm-[12]\/nic0; detach that device first/);
  });
});
