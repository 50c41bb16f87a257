import { attachBody, look, sample, TestServer } from '../testing.js';

const attach = '/v1/vms/vm-1/devices/nic0/attach';
const several = (change: object = {}): object => ({
  ...attachBody, capabilities: [{ name: 'pasid' }, { name: 'pri' }, { name: 'ats' }], ...change });

describe('several capabilities of one device', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look());
  });
  afterEach(() => server.close());

  it('are decided together, and the guest reads all of them', async () => {
    const reply = await server.post(attach, several({ policy: { pinned: { pri: '0x400' } } }));
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({ layout: {
      placements: [{ name: 'pasid', strategy: 'gap' }, { name: 'pri', offset: 0x400, strategy: 'pinned' },
        { name: 'ats', strategy: 'gap' }],
      grants: [{ name: 'pasid', widthBits: 16 }, { name: 'pri', registers: { outstandingPageRequestCapacity: 32 } },
        { name: 'ats' }] } });
    const { text } = await server.get('/v1/vms/vm-1/devices/nic0/config-space');
    expect(text).toMatch(/^400: 13 00 01 .. 00 00 00 01 20 00 00 00/m);
    const { body } = await server.post('/v1/layouts/plan', {
      configSpace: { encoding: 'lspci', data: sample('e1000e') }, capabilities: ['pasid', 'pri', 'ats'],
      policy: { pinned: { pri: '0x400' } } });
    const offsets = (given: unknown): unknown => (given as { offset: number }[]).map(({ offset }) => offset);
    const { layout } = reply.body as { layout: { placements: unknown } };
    expect(offsets(body['placements'])).toEqual(offsets(layout.placements));
  });

  it('are refused as a whole when one of them has no place', async () => {
    expect((await server.post(attach, several({ policy: { pinned: { pri: '0x102' } } }))).body)
      .toMatchObject({ code: 'no-place', refusal: { name: 'pri', refused: [{ strategy: 'pinned' }] } });
  });

  it('need an IOMMU that answers them, and have no fields of PASID', async () => {
    expect((await server.post(attach, several({ capabilities: [{ name: 'ats', width: 3 }] }))).body)
      .toMatchObject({ code: 'request-invalid', errors: [{ pointer: '/capabilities/0/width' }] });
    await server.post('/v1/functions', look({ iommu: { maxPasidLog2: 16, exec: false, priv: true,
      atsSupported: false } }));
    expect((await server.post(attach, several())).body).toMatchObject({ status: 422, code: 'ats-not-supported' });
  });
});
