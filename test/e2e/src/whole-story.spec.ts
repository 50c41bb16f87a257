import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cadastre, LedgerProcess, type Reply, root, temporaryDirectory } from './ledger-process.js';
import { sampleLook } from './samples.js';

interface Device {
  readonly revision: number;
  readonly function: { readonly host: string };
  readonly guestConfigSpaceDigest: string;
  readonly layout: { readonly digest: string; readonly placements: readonly { readonly offset: number }[] };
  readonly vmm: { readonly verdict: string; readonly knobs: object };
}

const nic = '/v1/vms/vm-7/devices/nic0';
const migrations = '/v1/vms/vm-7/migrations';
/** On host-b the same models are in other slots. */
const slots = { 'nic-v1.lspci': '0000:17:00.0', 'nic-v2.lspci': '0000:18:00.0', 'virtio-net.lspci': '0000:19:00.0' };
const generic = { name: 'generic' };

/** One VM's network card, from the first look at its host to its end. The steps build on each other. */
describe('the whole story of a device', () => {
  const directory = temporaryDirectory();
  let ledger: LedgerProcess;
  let keys = 0;
  let places: readonly number[] = [];
  beforeAll(async () => {
    ledger = await LedgerProcess.start(directory.path);
  });
  afterAll(async () => {
    await ledger.stop('SIGTERM');
    directory.remove();
  });

  const post = (path: string, body: unknown, match?: string): Promise<Reply> => {
    keys += 1;
    return ledger.post(path, `story-${keys}`, body, match === undefined ? {} : { 'if-match': match });
  };
  const device = async (): Promise<Device> => (await ledger.get(nic)).body as Device;
  const fitting = async (body: unknown): Promise<Reply> => {
    const planned = await post(migrations, body);
    expect([planned.status, planned.body]).toMatchObject([201, { state: 'planned' }]);
    return planned;
  };
  const carryOut = async (planned: Reply): Promise<void> => {
    const { id } = planned.body as { id: string };
    expect((await post(`${migrations}/${id}/prepare`, {}, '"0"')).status).toBe(200);
    expect((await post(`${migrations}/${id}/complete`, {}, '"1"')).status).toBe(200);
  };
  const claim = async (host: string, address: string): Promise<unknown> =>
    ((await ledger.get(`/v1/functions/${host}/${address}`)).body as { claim: unknown }).claim;

  it('begins with two hosts that are looked at', async () => {
    for (const file of ['nic-v1.lspci', 'virtio-net.lspci']) {
      expect((await post('/v1/functions', sampleLook(file, 'host-a'))).status).toBe(201);
    }
    for (const [file, address] of Object.entries(slots)) {
      const look = sampleLook(file, 'host-b') as { address: string; configSpace: { data: string } };
      const { data } = look.configSpace;
      const moved = data.replace(data.split(' ')[0] ?? '', address.slice(5));
      expect((await post('/v1/functions', {
        ...look, address, configSpace: { encoding: 'lspci', data: moved } })).status).toBe(201);
    }
  });

  it('is told of a new kernel of its host in less than 1 KiB, since no byte is another', async () => {
    const kernel = { release: '7.3.1', flavour: 'upstream' };
    const told = await post('/v1/functions', { ...sampleLook('nic-v1.lspci', 'host-a'), kernel });
    expect([told.status, told.body]).toMatchObject([201, {
      recorded: 'host-facts-observed', observation: { revision: 2, configSpaceRevision: 1, kernel } }]);
    const { body } = await ledger.get('/v1/functions/host-a/0000:07:00.0/history?after=1');
    expect(body).toMatchObject({ events: [{ type: 'HostFactsObserved', data: { kernel } }] });
    expect(JSON.stringify(body).length).toBeLessThan(1_024);
  });

  it('wears a persona that was made of version 1 of the card, with PASID', async () => {
    const plan = cadastre(['plan', join(root, 'samples', 'nic-v1.lspci'), '--want', 'pasid', '--max-pasid-log2', '16',
      '--priv', '--out', join(directory.path, 'nic-v1.json')]);
    expect(plan.status).toBe(0);
    const layout: unknown = JSON.parse(readFileSync(join(directory.path, 'nic-v1.json'), 'utf8'));
    const published = await fetch(`${ledger.url}/v1/personas/nic-v1`, {
      method: 'PUT', body: JSON.stringify({ layout }),
      headers: { 'content-type': 'application/json', 'idempotency-key': 'story-persona' },
    });
    expect(published.status).toBe(201);
    const attached = await post(`${nic}/attach`, {
      function: { host: 'host-a', address: '0000:07:00.0' }, capabilities: [], persona: { name: 'nic-v1' },
      vmm: generic });
    expect([attached.status, attached.body]).toMatchObject([201, {
      vmm: { verdict: 'exact' },
      layout: { persona: { name: 'nic-v1', version: 1 }, placements: [{ name: 'pasid' }] } }]);
    expect((await ledger.get(`${nic}/history`)).body).toMatchObject({ events: [
      {}, { type: 'LayoutDecided', data: { observation: { revision: 2 }, vmm: { kernel: { release: '7.3.1' } } } }] });
    expect((await ledger.get('/v1/vms/vm-7/replay')).body).toMatchObject({ equal: true });
  });

  it('is confirmed by its guest, which enables PASID and attaches three', async () => {
    const data = (await ledger.get(`${nic}/config-space`)).body as string;
    const seen = await post(`${nic}/observations`, { configSpace: { encoding: 'lspci', data } });
    expect([seen.status, seen.body]).toMatchObject([201, { guest: { kind: 'confirmed' } }]);
    const { revision } = await device();
    const platform = { viommuSsidBits: 16, ports: [{ address: '0000:00:01.0', endEndTlpPrefix: true }] };
    const enabled = await post(`${nic}/pasids/enable`, { platform }, `"${revision}"`);
    expect([enabled.status, enabled.body]).toMatchObject([200, { recorded: 'enabled' }]);
    for (const [index, pasid] of [1, 2, 3].entries()) {
      const attached = await post(`${nic}/pasids/${pasid}/attach`, {
        requested: { kind: 'ioas', ptId: 7 }, resulting: { ptId: 8 + pasid, hwptFlags: ['pasid'], faultId: null },
      }, `"${revision + 1 + index}"`);
      expect(attached.status).toBe(200);
    }
    expect((await ledger.get(`${nic}/pasids`)).body).toMatchObject({ count: 3 });
  });

  it('is told when new firmware moves what its guest has cached', async () => {
    const look = sampleLook('nic-v1.lspci', 'host-a') as { configSpace: { data: string } };
    const { data } = look.configSpace;
    const harmless = await post('/v1/functions', {
      ...look, firmware: '1.1', configSpace: { encoding: 'lspci', data } });
    expect(harmless.body).toMatchObject({ recorded: 'host-facts-observed', running: { endangered: false } });
    // The list ends at its first capability: the serial number the guest has cached is not there any more.
    const moved = data.replace(/^100: 01 00 \S\S 14/m, '100: 01 00 02 00');
    expect(moved).not.toBe(data);
    const dangerous = await post('/v1/functions', {
      ...look, firmware: '1.2', configSpace: { encoding: 'lspci', data: moved } });
    expect(dangerous.body).toMatchObject({ recorded: 'observed', running: { endangered: true } });
    const back = await post('/v1/functions', { ...look, firmware: '1.1', configSpace: { encoding: 'lspci', data } });
    expect(back.body).toMatchObject({ running: { endangered: false } });
  });

  it('goes to the same model on another host: every byte is where it was, PASIDs are attached anew', async () => {
    const before = await device();
    const planned = await fitting({ target: { host: 'host-b', functions: { nic0: slots['nic-v1.lspci'] } } });
    expect(planned.body).toMatchObject({ devices: [{ verdict: { reasons: [], differences: [] } }] });
    await carryOut(planned);
    const after = await device();
    expect([after.function.host, after.guestConfigSpaceDigest]).toEqual(['host-b', before.guestConfigSpaceDigest]);
    expect((await ledger.get(`${nic}/pasids`)).body).toMatchObject({ count: 0 });
    expect(await claim('host-a', '0000:07:00.0')).toBeNull();
  });

  it('goes to version 2 of the card, which has one capability more, and still shows version 1', async () => {
    const before = await device();
    const planned = await fitting({ target: { host: 'host-b', functions: { nic0: slots['nic-v2.lspci'] } } });
    expect(planned.body).toMatchObject({ devices: [{ verdict: { verdict: 'obeys', hidden: [{ name: 'PTM' }] } }] });
    await carryOut(planned);
    const after = await device();
    expect(after.layout.placements.map(({ offset }) => offset))
      .toEqual(before.layout.placements.map(({ offset }) => offset));
    expect(after.guestConfigSpaceDigest).toBe(before.guestConfigSpaceDigest);
  });

  it('does not go where its guest would find something else, with every reason, and stays as it was', async () => {
    const before = await device();
    const refused = await post(migrations, { target: {
      host: 'host-b', vmm: { name: 'qemu', version: '11.0' }, functions: { nic0: slots['virtio-net.lspci'] } } });
    expect([refused.status, refused.body]).toMatchObject([422, { code: 'migration-impossible', outcome: 'none' }]);
    expect((refused.body as { detail: string }).detail).toMatch(/device|vendor/i);
    expect(await device()).toEqual(before);
    expect(await claim('host-b', slots['virtio-net.lspci'])).toBeNull();
  });

  it('survives a crash, and is detached at last', async () => {
    const before = await device();
    await ledger.stop('SIGKILL');
    ledger = await LedgerProcess.start(directory.path);
    expect(await device()).toEqual(before);
    places = before.layout.placements.map(({ offset }) => offset);
    expect((await post(`${nic}/detach`, { reason: 'VM stopped' }, `"${before.revision}"`)).status).toBe(200);
    expect(await claim('host-b', slots['nic-v2.lspci'])).toBeNull();
    const { events } = (await ledger.get(`${nic}/history`)).body as { events: readonly { type: string }[] };
    expect(events.map(({ type }) => type)).toEqual([
      'DeviceAttached', 'LayoutDecided', 'LayoutConfirmed', 'PasidEnabled', 'PasidAttached', 'PasidAttached',
      'PasidAttached', 'PasidsDetached', 'DeviceMoved', 'LayoutDecided', 'DeviceMoved', 'LayoutDecided',
      'DeviceDetached',
    ]);
  });

  it('leaves as a bundle and comes to another ledger, where every digest is what it was', async () => {
    const bundle = join(directory.path, 'vm-7.bundle');
    expect(cadastre(['export', 'vm-7', '--server', ledger.url, '--out', bundle]).status).toBe(0);
    const verified = cadastre(['verify', bundle, '--json']);
    expect(verified.status).toBe(0);
    const { digest, events, devices } = JSON.parse(verified.stdout) as {
      digest: string; events: number; devices: readonly { guestConfigSpaceDigest: string }[] };
    const elsewhere = temporaryDirectory();
    const other = await LedgerProcess.start(elsewhere.path);
    try {
      const imported = cadastre(['import', bundle, '--server', other.url, '--json']);
      expect(imported.status).toBe(0);
      expect(JSON.parse(imported.stdout)).toMatchObject({ bundle: { digest, events }, devices: [{
        device: 'nic0', state: 'detached',
        source: { guestConfigSpaceDigest: devices[0]?.guestConfigSpaceDigest }, target: null }] });
      // Its VM starts there: what it had on the card is where it was, to the byte.
      const look = sampleLook('nic-v1.lspci', 'host-z');
      expect((await other.post('/v1/functions', 'elsewhere-1', look)).status).toBe(201);
      const attached = await other.post(`${nic}/attach`, 'elsewhere-2', {
        function: { host: 'host-z', address: '0000:07:00.0' }, capabilities: [{ name: 'pasid' }],
      }, { 'if-match': '"0"' });
      expect(attached.status).toBe(201);
      expect((attached.body as Device).layout.placements.map(({ offset }) => offset)).toEqual(places);
      const text = readFileSync(bundle, 'utf8');
      writeFileSync(bundle, text.replace('"hotPlugOrder\\":null', '"hotPlugOrder\\":1'));
      const tampered = cadastre(['import', bundle, '--server', other.url]);
      expect([tampered.status, tampered.stderr]).toEqual([10, expect.stringContaining('device-vm-7/nic0@0')]);
      writeFileSync(bundle, Buffer.concat([Buffer.from(text.trimEnd()), Buffer.from([0xff])]));
      const noText = cadastre(['verify', bundle]);
      expect([noText.status, noText.stderr]).toEqual([10, expect.stringContaining('is not valid UTF-8')]);
    } finally {
      await other.stop('SIGTERM');
      elsewhere.remove();
    }
  });

  it('is rebuilt from its events alone', async () => {
    await ledger.stop('SIGTERM');
    const replayed = cadastre(['replay', '--data', directory.path]);
    expect([replayed.status, replayed.stdout]).toEqual([0, expect.stringContaining('vm-7/nic0  detached')]);
    ledger = await LedgerProcess.start(directory.path);
  });
});
