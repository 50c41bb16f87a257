import { attachBody, look, type Reply, sampleBytes, TestServer } from '../testing.js';

const device = '/v1/vms/vm-1/devices/nic0';
const pf = '/v1/functions/host-a/0000:03:00.7';
const port = { address: '0000:00:01.0', endEndTlpPrefix: true };
const withPorts = (ports: readonly object[]): object => ({ viommuSsidBits: 16, ports });
const platform = withPorts([port]);
const table = { requested: { kind: 'ioas', ptId: 3 }, resulting: { ptId: 9, hwptFlags: ['pasid'] } };
const any = { 'if-match': '*' };
const bytes = { encoding: 'base64', data: sampleBytes('e1000e').toString('base64') };

describe('PASIDs over HTTP', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
    await server.post('/v1/functions', look({ sriov: { role: 'vf', pf: '0000:03:00.7' } }));
    await server.post('/v1/functions', look({ address: '0000:03:00.7', sriov: { role: 'pf' }, configSpace: bytes }));
    await server.post(`${device}/attach`, attachBody);
  });
  afterEach(() => server.close());

  const post = (path: string, body: unknown = {}, headers: Record<string, string> = any): Promise<Reply> =>
    server.post(`${device}/${path}`, body, headers);
  const enable = (change: object = {}): Promise<Reply> => post('pasids/enable', { width: 8, platform, ...change });

  /** Refused with this status and code, and the store is as it was. */
  async function expectRefused(asked: () => Promise<Reply>, status: number, code: string): Promise<Reply> {
    const before = await server.events();
    const reply = await asked();
    expect([reply.status, reply.body['code'], await server.events()]).toEqual([status, code, before]);
    return reply;
  }

  it('are enabled, attached, replaced and detached, each in one event of the device', async () => {
    const enabled = await enable();
    expect([enabled.status, enabled.headers['etag']]).toEqual([200, '"2"']);
    expect(enabled.headers['location']).toBe(`${device}/pasids`);
    expect(enabled.body).toMatchObject({
      recorded: 'enabled', revision: 2, widthBits: 8, exec: false, priv: true, platform,
      event: { type: 'PasidEnabled', schema: 1 },
      checks: expect.arrayContaining([expect.objectContaining({
        check: 'tlp-prefix-on-path', ok: true, reason: 'every port on the path passes TLP prefixes on',
      })]) as unknown,
    });
    const attached = await post('pasids/7/attach', table, { 'if-match': '"2"' });
    expect(attached.body).toMatchObject({
      recorded: 'attached', pasid: 7, requested: { kind: 'ioas', ptId: 3 }, resultingPtId: 9, faultId: null,
    });
    const resulting = { ptId: 4, hwptFlags: ['pasid', 'fault-id-valid'], faultId: 5 };
    const replaced = await post('pasids/0x7/attach', { requested: { kind: 'hwpt', ptId: 4 }, resulting });
    expect(replaced.body).toMatchObject({
      recorded: 'replaced', pasid: 7, resultingPtId: 4, faultId: 5, replaced: { resultingPtId: 9 },
    });
    await post('pasids/8/attach', table);
    await post('pasids/9/attach', table);
    const first = await server.get(`${device}/pasids?limit=2`);
    expect(first.body).toMatchObject({
      revision: 6, enabled: { widthBits: 8 }, ats: { enabled: false }, pri: { enabled: false }, count: 3, next: 8,
      pasids: [{ pasid: 7, resultingPtId: 4 }, { pasid: 8 }],
    });
    expect(first.headers['link']).toBe(`<${device}/pasids?after=8&limit=2>; rel="next"`);
    expect((await server.get(`${device}/pasids?limit=2&after=8`)).body).toMatchObject({
      pasids: [{ pasid: 9 }], next: null,
    });
    expect((await post('pasids/7/detach')).body).toMatchObject({ recorded: 'detached', was: { resultingPtId: 4 } });
    expect((await post('pasids/7/detach')).body).toMatchObject({ recorded: 'detached', was: null });
    expect((await post('pasids/reset', { cause: 'close' })).body)
      .toMatchObject({ recorded: 'all-detached', cause: 'close', count: 2 });
    expect((await server.get(`${device}/pasids`)).body).toMatchObject({ enabled: null, count: 0, pasids: [] });
    const then = await server.get(`${device}/pasids?at=${String(attached.headers['cadastre-position'])}`);
    expect(then.body).toMatchObject({ revision: 3, count: 1, pasids: [{ pasid: 7, resultingPtId: 9 }] });
  });

  it('stay what they were when the kernel refuses, and its error is recorded', async () => {
    await enable();
    await post('pasids/7/attach', table);
    const failed = await post('pasids/7/attach', { requested: { kind: 'hwpt', ptId: 4 }, errno: 'EBUSY' });
    expect(failed.body).toMatchObject({ recorded: 'failed', operation: 'attach', pasid: 7, errno: 'EBUSY' });
    expect((await post('pasids/7/detach', { errno: 'ENODEV' })).body).toMatchObject({ errno: 'ENODEV' });
    expect((await server.get(`${device}/pasids`)).body).toMatchObject({ count: 1, pasids: [{ resultingPtId: 9 }] });
  });

  it('answer a repeated request from the record, whatever happened since', async () => {
    const key = { ...any, 'idempotency-key': 'enable-1' };
    const body = { width: 8, platform };
    const first = await post('pasids/enable', body, key);
    await post('pasids/disable');
    const events = await server.events();
    const again = await post('pasids/enable', body, key);
    expect([again.text.length, again.body]).toEqual([first.text.length, first.body]);
    expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true', 'etag': '"2"' });
    expect(await server.events()).toBe(events);
    await expectRefused(() => post('pasids/enable', { width: 9, platform }, key), 422, 'key-reused');
  });

  it('are counted at the physical function, with the first user and the last, and freed by a detach', async () => {
    const address = '0000:03:00.1';
    await server.post('/v1/functions', look({ address, configSpace: bytes,
      sriov: { role: 'vf', pf: '0000:03:00.7' } }));
    const other = '/v1/vms/vm-2/devices/nic0';
    await server.post(`${other}/attach`, { ...attachBody, function: { host: 'host-a', address } });
    await enable();
    await server.post(`${other}/pasids/enable`, { platform }, any);
    await post('ats/enable');
    await post('pri/enable');
    const [one, two] = [{ vm: 'vm-1', device: 'nic0' }, { vm: 'vm-2', device: 'nic0' }];
    expect((await server.get(`${pf}/family`)).body).toMatchObject({ shared: {
      pasid: { count: 2, first: one, last: two, users: [one, two] }, pri: { count: 1, first: one, last: one },
    } });
    await expectRefused(() => server.post(`${pf}/retire`, {}, any), 409, 'function-shared');
    await post('pasids/7/attach', table);
    const before = await server.events();
    await post('detach');
    const page = await server.get(`/v1/events?after=${before - 1}`);
    expect((page.body['events'] as { type: string; data: object }[]).map(({ type, data }) => [type, data]))
      .toMatchObject([
        ['PasidsDetached', { cause: 'device-detach', count: 1 }], ['DeviceDetached', {}], ['FunctionReleased', one],
        ['SharedCapabilityFreed', { capability: 'pasid', ...one, users: 1, last: false }],
        ['SharedCapabilityFreed', { capability: 'pri', ...one, users: 0, last: true }],
      ]);
    await server.post(`${other}/pasids/reset`, { cause: 'unbind' }, any);
    expect((await server.get(`${pf}/family`)).body)
      .toMatchObject({ shared: { pasid: { count: 0 }, pri: { count: 0 } } });
  });

  it('of a PF that is itself attached are counted in its own stream, and freed with it in one change', async () => {
    const url = '/v1/vms/vm-3/devices/pf0';
    await server.post(`${url}/attach`, { ...attachBody, function: { host: 'host-a', address: '0000:03:00.7' } });
    expect((await server.post(`${url}/pasids/enable`, { platform }, any)).status).toBe(200);
    const user = { vm: 'vm-3', device: 'pf0' };
    expect((await server.get(`${pf}/family`)).body).toMatchObject({ shared: { pasid: { count: 1, first: user } } });
    expect((await server.post(`${url}/detach`, {}, any)).status).toBe(200);
    expect((await server.get(pf)).body).toMatchObject({ claim: null });
    expect((await server.get(`${pf}/family`)).body).toMatchObject({ shared: { pasid: { count: 0 } } });
  });

  it('are checked without recording anything', async () => {
    const before = await server.events();
    const good = await server.post(`${device}/pasids/check`, { platform });
    expect([good.status, good.body['usable']]).toEqual([200, true]);
    const bad = await server.post(`${device}/pasids/check`, { platform: { viommuSsidBits: 0, ports: [] }, exec: true });
    expect(bad.body['usable']).toBe(false);
    expect((bad.body['checks'] as { check: string; ok: boolean }[]).filter(({ ok }) => !ok).map(({ check }) => check))
      .toEqual(['execute-granted', 'execute-fits-host-iommu', 'width-fits-viommu', 'tlp-prefix-on-path']);
    expect(await server.events()).toBe(before);
  });

  it('are not usable where the VMM makes no capability, by prediction and by what the guest reads', async () => {
    const address = '0000:03:00.1';
    await server.post('/v1/functions', look({ address, configSpace: bytes }));
    const url = '/v1/vms/vm-4/devices/nic0';
    const vmm = { name: 'crosvm' };
    const { body } = await server.post(`${url}/attach`, { ...attachBody, function: { host: 'host-a', address }, vmm });
    expect(body['vmm']).toMatchObject({ verdict: 'cannot-obey', unmet: [{ kind: 'not-made' }] });
    const visible = async (): Promise<unknown> => {
      const checked = await server.post(`${url}/pasids/check`, { platform });
      expect([checked.status, checked.body['usable']]).toEqual([200, false]);
      return (checked.body['checks'] as object[])[0];
    };
    expect(await visible()).toEqual({
      check: 'capability-visible', ok: false, offset: null, toldBy: 'prediction', revision: null,
      reason: 'the VMM is predicted to show no PASID capability, and nobody looked inside the guest',
    });
    const seen = await server.post(`${url}/observations`, { address, configSpace: bytes });
    expect(seen.body['guest']).toMatchObject({ kind: 'diverged', missing: [{ name: 'pasid', insteadOffset: null }] });
    expect(await visible()).toMatchObject({
      ok: false, toldBy: 'guest', revision: 2,
      reason: 'the guest was last seen, at revision 2, to find no PASID capability',
    });
    await expectRefused(() => server.post(`${url}/pasids/enable`, { platform }, any), 422, 'pasid-unusable');
  });

  it('are not usable beyond what the host IOMMU has now', async () => {
    const iommu = { maxPasidLog2: 0, exec: false, priv: false, atsSupported: true };
    await server.post('/v1/functions', look({ iommu, sriov: { role: 'vf', pf: '0000:03:00.7' } }));
    const refused = await expectRefused(() => enable({ width: 16 }), 422, 'pasid-unusable');
    expect(refused.body['detail']).toBe('width-fits-host-iommu: 16 bits, and the host IOMMU has 0; '
      + 'privileged-fits-host-iommu: privileged permission is asked for, and not supported by the host IOMMU');
  });

  it('that a guest could not use are refused with the checklist', async () => {
    const reply = await expectRefused(() => enable({ width: 20 }), 422, 'pasid-unusable');
    expect(reply.body['detail']).toBe('width-granted: 20 bits of the 16 the guest was granted; '
      + 'width-fits-host-iommu: 20 bits, and the host IOMMU has 16; width-fits-viommu: 20 bits, and the vIOMMU has 16');
    expect((reply.body['refusal'] as { checks: unknown[] }).checks).toHaveLength(10);
  });

  it('are refused in the wrong state, and nothing is written', async () => {
    await expectRefused(() => post('pasids/7/attach', table), 409, 'capability-not-enabled');
    await expectRefused(() => post('pasids/disable'), 409, 'capability-not-enabled');
    await expectRefused(() => post('pri/enable'), 409, 'capability-not-enabled');
    await enable();
    await expectRefused(() => enable(), 409, 'capability-enabled');
    await expectRefused(() => post('pasids/256/attach', table), 422, 'pasid-out-of-range');
    await expectRefused(() => post('pasids/0/attach', table), 422, 'pasid-out-of-range');
    for (const kind of ['hwpt', 'ioas']) {
      const unfit = { requested: { kind, ptId: 3 }, resulting: { ptId: 3, hwptFlags: [] } };
      await expectRefused(() => post('pasids/7/attach', unfit), 422, 'hwpt-without-pasid');
    }
    await post('pasids/7/attach', table);
    await expectRefused(() => post('pasids/disable'), 409, 'pasids-attached');
    await expectRefused(() => post('pasids/7/detach', {}, {}), 428, 'precondition-required');
    const stale = await expectRefused(() => post('pasids/7/detach', {}, { 'if-match': '"1"' }), 412, 'revision-stale');
    expect(stale.headers['etag']).toBe('"3"');
    await post('detach');
    const gone = await expectRefused(() => post('pasids/7/detach'), 409, 'device-not-attached');
    expect(gone.body).toMatchObject({ refusal: { state: 'detached', revision: 5 } });
    const unknown = '/v1/vms/vm-9/devices/nic0/pasids';
    await expectRefused(() => server.post(`${unknown}/reset`, { cause: 'reset' }, any), 404, 'device-unknown');
    expect((await server.get(unknown)).status).toBe(404);
    expect((await server.get(`${device}/pasids`)).body['code']).toBe('device-not-attached');
    expect((await server.post(`${device}/pasids/check`, { platform })).body['code']).toBe('device-not-attached');
  });

  it('of a VF whose PF is unknown or retired are refused: nobody could count them', async () => {
    await server.post(`${pf}/retire`, {}, any);
    const reply = await expectRefused(() => enable(), 409, 'physical-function-unknown');
    expect(reply.body).toMatchObject({ refusal: { address: '0000:03:00.0', pf: '0000:03:00.7' } });
    await server.post('/v1/functions', look({ sriov: { role: 'vf' } }));
    const untold = await expectRefused(() => enable(), 409, 'physical-function-unknown');
    expect(untold.body).toMatchObject({ refusal: { pf: null } });
  });

  it.each([
    ['a PASID of 21 bits', 'pasids/1048576/attach', table],
    ['a PASID that is no number', 'pasids/seven/attach', table],
    ['neither an answer nor an error', 'pasids/7/attach', { requested: table.requested }],
    ['both an answer and an error', 'pasids/7/attach', { ...table, errno: 'EBUSY' }],
    ['an error nobody spells so', 'pasids/7/attach', { requested: table.requested, errno: 'busy' }],
    ['a hwpt that came back as another', 'pasids/7/attach',
      { requested: { kind: 'hwpt', ptId: 3 }, resulting: { ptId: 4, hwptFlags: ['pasid'] } }],
    ['a fault object without its flag', 'pasids/7/attach', { ...table, resulting: { ...table.resulting, faultId: 1 } }],
    ['a flag nobody knows', 'pasids/7/attach', { ...table, resulting: { ptId: 9, hwptFlags: ['fast'] } }],
    ['a cause nobody knows', 'pasids/reset', { cause: 'boredom' }],
    ['a width of 0', 'pasids/enable', { width: 0, platform }],
    ['no platform', 'pasids/enable', {}],
    ['a port that is none', 'pasids/enable', { platform: withPorts([{ ...port, address: 'x' }]) }],
    ['more ports than buses', 'pasids/enable', { platform: withPorts(new Array(257).fill(port)) }],
  ])('refuse %s', async (_what, path, body) => {
    await expectRefused(() => post(path, body), 400, 'request-invalid');
  });

  it('know no capability but ATS and PRI to be the driver\'s', async () => {
    await expectRefused(() => post('acs/enable'), 404, 'not-found');
    await expectRefused(() => post('ats/toggle'), 404, 'not-found');
    expect((await post('ats/enable')).body).toMatchObject({ recorded: 'enabled', by: 'iommu-driver' });
    expect((await post('ats/disable')).body).toMatchObject({ recorded: 'disabled', by: 'iommu-driver' });
  });
});
