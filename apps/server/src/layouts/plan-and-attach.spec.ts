import { attachBody, look, type Reply, sample, sampleBytes, TestServer } from '../testing.js';

const attach = '/v1/vms/vm-1/devices/nic0/attach';
const over = attachBody.function;
const lspci = (name: string) => ({ configSpace: { encoding: 'lspci', data: sample(name) } });

/** The same model, another unit: it uses a byte that reads zero in the first one. */
const secondUnit = (): Record<string, unknown> => {
  const bytes = sampleBytes('e1000e');
  bytes[0x138] = 0x5a;
  return look({ address: '0000:04:00.0', configSpace: { encoding: 'base64', data: bytes.toString('base64') } });
};

/** A PF whose list goes on to a PASID of 16 bits at 0x300. */
const pfWithPasid = (): object => {
  const bytes = sampleBytes('nvme-pf');
  bytes.writeUInt32LE(0x30010010, 0x120);
  bytes.writeUInt32LE(0x0001001b, 0x300);
  bytes.writeUInt32LE(0x00001000, 0x304);
  return { address: '0000:01:00.0', configSpace: { encoding: 'base64', data: bytes.toString('base64') } };
};

/** What both answers have. */
const decided = ({ body }: Reply): unknown => {
  const layout = (body['layout'] as Record<string, unknown>);
  return body['state'] === 'attached'
    ? { placements: layout['placements'], grants: layout['grants'], reserved: (layout['reserved'] as unknown[]).length,
      layout: layout['digest'], guest: body['guestConfigSpaceDigest'], vmm: body['vmm'],
      evidence: layout['evidence'] }
    : { placements: body['placements'], grants: body['grants'], reserved: (body['reserved'] as unknown[]).length,
      layout: body['layoutDigest'], guest: (body['guestConfigSpace'] as { digest: string }).digest, vmm: body['vmm'],
      evidence: layout['evidence'] };
};

describe('a plan', () => {
  let server: TestServer;
  const plan = async (body: object): Promise<Reply> => {
    const before = await server.events();
    const reply = await server.post('/v1/layouts/plan', body);
    expect(await server.events()).toBe(before);
    return reply;
  };
  beforeEach(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look());
  });
  afterEach(() => server.close());

  it.each<[string, object]>([
    ['in a ledger that knows nothing else', { capabilities: ['pasid', 'pri', 'ats'] }],
    ['with a policy', { capabilities: ['pasid', 'acs'], policy: { pinned: { acs: '0x400' } } }],
    ['for a VMM', { capabilities: ['pasid'], vmm: { name: 'qemu', version: '11.0' } }],
    ['that only hides', { capabilities: [], policy: { operations: [
      { kind: 'hide-capability', space: 'extended', id: 3 }] } }],
  ])('is what an attach decides, to the byte: %s', async (_what, wish) => {
    const planned = await plan({ ...wish, function: over, vm: 'vm-1', device: 'nic0' });
    expect(planned.body).toMatchObject({ refusals: [], assumed: [] });
    const attached = await server.post(attach, { ...wish, function: over });
    expect(attached.status).toBe(201);
    expect(decided(planned)).toEqual(decided(attached));
  });

  it('goes around what another unit of the model has in use, as an attach does', async () => {
    const alone = await plan({ function: over, capabilities: ['pasid'] });
    await server.post('/v1/functions', secondUnit());
    const planned = await plan({ function: over, capabilities: ['pasid'] });
    const offsetOf = ({ body }: Reply): unknown => (body['placements'] as { offset: number }[])[0]?.offset;
    expect([offsetOf(alone), offsetOf(planned)]).toEqual([0x134, 0x154]);
    expect(decided(planned)).toEqual(decided(await server.post(attach, attachBody)));
    const brought = await plan({ ...lspci('e1000e'), iommu: look()['iommu'], capabilities: ['pasid'] });
    expect(offsetOf(brought)).toBe(0x154);
  });

  it('goes around what captures that are brought along have in use', async () => {
    const { configSpace } = secondUnit();
    const { body } = await plan({ function: over, capabilities: ['pasid'], evidence: [{ configSpace }] });
    expect(body).toMatchObject({ placements: [{ offset: 0x154 }],
      layout: { evidence: { captures: [{ source: '/evidence/0 0000:00:00.0' }] } } });
  });

  it('keeps the places a guest of the device may have cached, as an attach does', async () => {
    await server.post(attach, { ...attachBody, policy: { pinned: { pasid: '0x400' } } });
    await server.post('/v1/vms/vm-1/devices/nic0/detach', {}, { 'if-match': '"1"' });
    const device = { vm: 'vm-1', device: 'nic0' };
    const wish = { function: over, capabilities: ['pri'] };
    expect((await plan({ ...wish, capabilities: ['pasid'] })).body)
      .toMatchObject({ placements: [{ strategy: 'gap' }] });
    expect((await plan({ ...wish, capabilities: ['pasid'], ...device })).body)
      .toMatchObject({ placements: [{ offset: 0x400 }] });
    expect((await plan({ ...wish, capabilities: ['pasid'], ...device, keepPlaces: false })).body)
      .toMatchObject({ placements: [{ strategy: 'gap' }] });
    const planned = await plan({ ...wish, ...device });
    expect(planned.body).toMatchObject({ reserved: [{ name: 'pasid', offset: 0x400 }] });
    expect(decided(planned)).toEqual(decided(await server.post(attach, wish, { 'if-match': '"2"' })));
  });

  it('refuses what an attach refuses, capability by capability, and places the rest', async () => {
    await server.post('/v1/functions', look({ iommu: { maxPasidLog2: 0, exec: false, priv: false,
      atsSupported: false } }));
    const { body } = await plan({ function: over, capabilities: ['pasid', 'pri', 'ats', 'dsn', 'dvsec', 'acs'] });
    expect(body).toMatchObject({
      refusals: [
        { name: 'pasid', kind: 'pasid-not-supported', maxPasidLog2: 0 }, { name: 'pri', kind: 'ats-not-supported' },
        { name: 'ats', kind: 'ats-not-supported' },
        { name: 'dsn', kind: 'registers-missing', fields: ['serialNumberLower', 'serialNumberUpper'],
          explanation: expect.stringContaining('nothing but the request tells') as unknown },
        { name: 'dvsec', kind: 'registers-missing' },
      ],
      placements: [{ name: 'acs' }], grants: [{ name: 'acs' }],
    });
  });

  it('clamps a width the IOMMU cannot carry', async () => {
    const iommu = { ...look()['iommu'] as object, maxPasidLog2: 12 };
    const { body } = await plan({ ...lspci('nic-v1'), iommu, capabilities: [{ name: 'pasid', width: 20 }] });
    expect(body).toMatchObject({ grants: [{ name: 'pasid', widthBits: 12, clampedFrom: 20 }],
      placements: [{ registers: { maxPasidWidth: 12 } }] });
  });

  it('names the place of bytes that cannot be read', async () => {
    const configSpace = { encoding: 'hex', data: '00 zz' };
    expect((await plan({ function: over, capabilities: [], evidence: [{ configSpace }] })).body)
      .toMatchObject({ code: 'config-space-unreadable', errors: [{ pointer: '/evidence/0/configSpace/data' }] });
  });

  it('says why nothing can be done where nothing is wanted', async () => {
    const policy = { operations: [{ kind: 'hide-capability', space: 'extended', id: 0x777 }] };
    expect((await plan({ function: over, capabilities: [], policy })).body).toMatchObject({
      placements: [], layout: null, guestConfigSpace: null,
      refusals: [{ name: null, kind: 'operation-impossible',
        explanation: expect.stringContaining('0x0777') as unknown }],
    });
  });

  it('places what a function without extended space has room for', async () => {
    const bytes = sampleBytes('e1000e').subarray(0, 256).toString('base64');
    const { body } = await plan({ configSpace: { encoding: 'base64', data: bytes },
      capabilities: ['pasid', { name: 'nvidia-clique', registers: { clique: 1 } }] });
    expect(body).toMatchObject({ refusals: [{ name: 'pasid', kind: 'no-extended-space' },
      { name: 'nvidia-clique', kind: 'capability-not-for-function' }], layout: { configSize: 256 } });
  });

  it('follows the physical function of a VF that is brought along, and says when it cannot', async () => {
    const vf = { ...lspci('nvme-vf'), role: 'vf', capabilities: ['pasid'] };
    const alone = await plan(vf);
    expect(alone.body).toMatchObject({ placements: [{ cautions: expect.arrayContaining([
      { kind: 'physical-function-not-seen', pf: null }]) as unknown }],
    assumed: [expect.stringContaining('the IOMMU is taken for one') as unknown] });
    expect((await plan({ ...vf, physicalFunction: pfWithPasid() })).body).toMatchObject({ placements: [
      { offset: 0x300, cautions: [], reason: { kind: 'physical-function-has-it-here', pf: '0000:01:00.0' } }] });
  });

  it('is refused where an attach has nothing to decide', async () => {
    const elsewhere = { host: 'host-a', address: '0000:09:00.0' };
    const refused: readonly [object, number, string][] = [
      [{ function: elsewhere, capabilities: [] }, 404, 'function-not-registered'],
      [{ function: over, capabilities: [], persona: { name: 'nobody' } }, 404, 'persona-unknown'],
      [{ function: over, capabilities: ['dsn'], vmm: { name: 'bhyve' } }, 422, 'vmm-unknown'],
      [{ ...lspci('root-port'), capabilities: ['pasid'] }, 422, 'function-not-assignable'],
    ];
    for (const [body, status, code] of refused) expect((await plan(body)).body).toMatchObject({ status, code });
    await server.post(attach, attachBody);
    const named = { function: over, capabilities: [], vm: 'vm-1' };
    expect((await plan({ ...named, device: 'nic1' })).body).toMatchObject({ status: 409, code: 'function-claimed' });
    expect((await plan({ ...named, device: 'nic0' })).body).toMatchObject({ refusals: [] });
    const brought = { ...lspci('nic-v1'), capabilities: [], vm: 'vm-1', device: 'nic0' };
    expect((await plan(brought)).body).toMatchObject({ status: 409, code: 'device-attached' });
    expect((await plan({ function: over, capabilities: ['pasid'] })).status).toBe(200);
  });
});
