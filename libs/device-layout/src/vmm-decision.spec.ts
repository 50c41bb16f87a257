import { type ConfigSpace, type Survey } from '@cadastre/config-space';
import { type ConfigSpaceParts, express, u32 } from '@cadastre/config-space/testing';
import { type GuestPort, guestPorts, guestView, type PasidFacts, profileNamed } from '@cadastre/vmm-profiles';
import fc from 'fast-check';
import { type LayoutOperation } from './layout-operation.js';
import { planLayout, type PlannedLayout, type WantedCapability } from './plan-layout.js';
import { pinnedAt, planned, policy, requestOver, surveyOf, wholePasid } from './testing.js';
import { decideVmm, predictedAgain, type VmmDecision, type VmmRequest } from './vmm-decision.js';

const kernel = { release: '7.2', flavour: 'upstream' } as const;
const iommu = { maxPasidLog2: 20, exec: true, priv: true, atsSupported: true };
const qemu11: VmmRequest = { name: 'qemu', version: '11.1', port: 'root-port', settings: {} };
const gpuParts: ConfigSpaceParts = {
  vendorId: 0x10de, deviceId: 0x2684, classCode: 0x030200,
  standard: [{ id: 1, offset: 0x40, body: [3, 0, 8, 0] }, express({ offset: 0x60 })],
  extended: [{ id: 0x01, version: 2, offset: 0x100 }, { id: 0x0f, offset: 0x200, body: [0x1f] }],
};
const clique: WantedCapability = { name: 'nvidia-clique', registers: { clique: 5 } };
const replaced: LayoutOperation = { kind: 'replace-identity', field: 'deviceId', value: 0x1234, reason: 'v1' };
const hideAer: LayoutOperation = { kind: 'hide-capability', space: 'extended', id: 1, offset: null, reason: 'policy' };

function decided(vmm: VmmRequest, survey: Survey, layout: PlannedLayout, isWhole = false): VmmDecision {
  const made = decideVmm(vmm, { survey, planned: layout, kernel, iommu, role: 'none', family: null,
    hostBdf: '0000:0a:65.0', device: 'gpu0', isWhole });
  if (made.ok) return made.value;
  throw new Error(made.refusal.kind);
}
const gpu = surveyOf(gpuParts);
const gpuLayout = (wanted: readonly WantedCapability[], operations: readonly LayoutOperation[] = []): PlannedLayout =>
  planned(gpu, { wanted, operations, policy: pinnedAt(0x300, { strategies: ['pinned', 'table', 'gap'] }) });

/** What a QEMU takes out of one `-device`, its names left out. */
function settingsOf(device: string): Readonly<Record<string, string>> {
  const pairs = device.split(',').slice(1).map((one): [string, string] => {
    const [name = '', value = ''] = one.split('=');
    return [name, value];
  });
  return Object.fromEntries(pairs.filter(([name]) => !['id', 'host', 'bus', 'iommufd'].includes(name)));
}

/** What a text gives when somebody pastes it: settings, and PASID of the width of its vSMMU. */
function pasted(text: string, port: GuestPort, profileName: string, physical: ConfigSpace): ConfigSpace | null {
  const devices = text.split(/ ?-device /).slice(1);
  const width = /ssidsize=(\d+)/.exec(devices.find((one) => one.startsWith('arm-smmuv3')) ?? '')?.[1];
  const pasid: PasidFacts | null = width === undefined ? null
    : { widthBits: Number(width), execute: iommu.exec, privileged: iommu.priv };
  const profile = profileNamed(profileName);
  if (!profile.ok) throw new Error(profileName);
  const settings = settingsOf(devices.find((one) => one.startsWith('vfio-pci')) ?? '');
  return guestView(physical, profile.value, { port, settings, viommuPasid: pasid !== null }, { kernel, pasid }).space;
}

/** What a QEMU takes out of a `device_add`: numbers and switches as JSON has them. */
function settingsOfQmp(text: string): Readonly<Record<string, string>> {
  const { arguments: given } = JSON.parse(text) as { arguments: Readonly<Record<string, string | number | boolean>> };
  return Object.fromEntries(Object.entries(given)
    .filter(([name]) => !['driver', 'id', 'host', 'bus', 'iommufd'].includes(name))
    .map(([name, value]) => [name, typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)]));
}

/** The guest a decision recorded. */
function predicted({ predicted: guest }: VmmDecision, physical: ConfigSpace): Uint8Array | undefined {
  return guest ? physical.patched(guest.patches).toBytes().subarray(0, guest.sizeBytes) : undefined;
}
const textOf = ({ configuration }: VmmDecision, kind: string): string =>
  configuration.find((one) => one.kind === kind)?.text ?? '';

describe('the configuration of a decision', () => {
  it('has the clique, the IDs and what the control plane sets, in every form', () => {
    const asked = { ...qemu11, settings: { ats: 'off' } };
    const decision = decided(asked, gpu, gpuLayout([wholePasid, clique], [replaced]));
    expect(decision.knobs).toEqual({
      'x-nv-gpudirect-clique': '5', 'x-vpasid-cap-offset': '0x300', 'x-pci-device-id': '0x1234' });
    for (const kind of ['qemu-arguments', 'libvirt-xml']) {
      expect(textOf(decision, kind)).toMatch(
        /vfio-pci,.*host=0000:0a:65\.0,.*ats=off.*x-nv-gpudirect-clique=5.*x-pci-device-id=0x1234/);
    }
    expect(JSON.parse(textOf(decision, 'qmp'))).toMatchObject({ arguments: {
      'ats': 'off', 'x-nv-gpudirect-clique': 5, 'x-vpasid-cap-offset': 0x300, 'x-pci-device-id': 0x1234 } });
  });

  const anyLayout = fc.record({
    pasid: fc.option(fc.integer({ min: 0x40, max: 0x3fe }).map((index) => index * 4)), clique: fc.option(fc.nat(15)),
    deviceId: fc.option(fc.nat(0xffff)), hides: fc.boolean(), covered: fc.boolean(),
    port: fc.constantFrom(...guestPorts),
    version: fc.constantFrom('7.2', '10.0', '11.0', '11.1'),
    settings: fc.subarray([['rombar', '0'], ['multifunction', 'on'], ['x-pci-sub-device-id', '0xffff']] as const),
    ats: fc.constantFrom('on', 'off', 'auto', undefined),
  });

  it('gives exactly the guest that was predicted, when it is pasted', () => {
    let compared = 0;
    fc.assert(fc.property(anyLayout, (given) => {
      const parts = given.covered ? { ...gpuParts, standard: [...gpuParts.standard ?? [], { id: 9, offset: 0xc8,
        body: [0x08, 0, 0, 0, 0, 0] }] } : gpuParts;
      const survey = surveyOf(parts);
      const layout = planLayout(requestOver(survey, {
        wanted: [...(given.pasid === null ? [] : [wholePasid]),
          ...(given.clique === null ? [] : [{ ...clique, registers: { clique: given.clique } }])],
        operations: [...(given.deviceId === null ? [] : [{ ...replaced, value: given.deviceId }]),
          ...(given.hides ? [hideAer] : [])],
        policy: pinnedAt(given.pasid ?? 0, { strategies: ['pinned', 'table', 'gap'] }),
      }));
      if (!layout.ok) return;
      const { version, port } = given;
      const settings: Record<string, string> = Object.fromEntries(given.settings.map(([name, value]) => [name, value]));
      if (version === '11.1' && given.ats !== undefined) settings['ats'] = given.ats;
      const decision = decided({ name: 'qemu', version, port, settings }, survey, layout.value);
      const again = pasted(textOf(decision, 'qemu-arguments'), port, decision.profile.name, survey.space);
      expect(again?.toBytes()).toEqual(predicted(decision, survey.space));
      const line = /-device (vfio-pci\S*)/.exec(textOf(decision, 'qemu-arguments'))?.[1] ?? '';
      const valuesOf = (given: Readonly<Record<string, string>>): unknown =>
        Object.entries(given).map(([name, value]) => [name, Number.isNaN(Number(value)) ? value : Number(value)]);
      expect(valuesOf(settingsOfQmp(textOf(decision, 'qmp')))).toEqual(valuesOf(settingsOf(line)));
      expect(textOf(decision, 'libvirt-xml')).toContain(`<qemu:arg value='${line}'/>`);
      compared += 1;
    }), { seed: 20261128, numRuns: 150 });
    expect(compared).toBeGreaterThan(100);
  });

  it('is written for the bus the guest has it on', () => {
    const decision = decided({ ...qemu11, port: 'root-bus' }, gpu, gpuLayout([]));
    expect(textOf(decision, 'qemu-arguments')).toContain('bus=pcie.0');
  });
});

describe('the verdict of a decision', () => {
  it('is not exact where the VMM hides what the layout lists', () => {
    const family = surveyOf({ ...gpuParts, extended: [...gpuParts.extended ?? [], { id: 0x0e, offset: 0x250 },
      { id: 0x10, offset: 0x280 }] });
    const told = [{ kind: 'not-shown', offset: 0x250, insteadOffset: null, rule: 'X1', confidence: 'V' },
      { kind: 'not-shown', offset: 0x280, rule: 'X1' }];
    const crosvm = { ...qemu11, name: 'crosvm', version: null };
    // Nobody asked for them: what was asked for is there.
    expect(decided(crosvm, family, planned(family, { wanted: [] })))
      .toMatchObject({ verdict: 'obeys-with-knob', knobs: {}, unmet: [], notShown: told });
    expect(decided(crosvm, family, planned(family, { wanted: [] }), true))
      .toMatchObject({ verdict: 'cannot-obey', knobs: {}, unmet: told, notShown: [] });
    const operations = [0x0e, 0x10].map((id) => ({ ...hideAer, id }));
    expect(decided({ ...qemu11, name: 'crosvm', version: null }, family, planned(family, { wanted: [], operations })))
      .toMatchObject({ verdict: 'exact', unmet: [], notShown: [] });
  });

  it('is that of the kernel too: what vfio-pci hides no VMM shows', () => {
    const laptop = surveyOf({ ...gpuParts, extended: [...gpuParts.extended ?? [], { id: 0x1e, offset: 0x300 }] });
    expect(decided(qemu11, laptop, planned(laptop, { wanted: [] }))).toMatchObject({
      verdict: 'obeys-with-knob', knobs: {}, unmet: [], notShown: [{ kind: 'not-shown', offset: 0x300, rule: 'K9' }] });
  });

  it('of Cloud Hypervisor names the place its clique has', () => {
    const old: VmmRequest = { ...qemu11, name: 'cloud-hypervisor', version: 'old' };
    const at = (starts: readonly number[]): VmmDecision => {
      const survey = surveyOf({ ...gpuParts, standard: [...gpuParts.standard ?? [],
        ...starts.map((offset) => ({ id: 9, offset, body: [8, 0, 0, 0, 0, 0] }))] });
      return decided(old, survey, planned(survey, { wanted: [clique], policy: policy({ strategies: ['table'] }) }));
    };
    expect(at([])).toMatchObject({ verdict: 'cannot-obey', knobs: { x_nv_gpudirect_clique: '5' },
      unmet: [{ kind: 'not-made', offset: 0xc8, insteadOffset: 0xd4, rule: 'C3' }] });
    expect(at([0xc8])).toMatchObject({ verdict: 'obeys-with-knob', unmet: [],
      knobs: { x_nv_gpudirect_clique: '5' } });
    expect(textOf(at([0xc8]), 'cloud-hypervisor-api')).toContain('"x_nv_gpudirect_clique":5');
  });

  it('hears what the IOMMU says of ATS, as QEMU does through iommufd', () => {
    const layout = gpuLayout([wholePasid]);
    const made = decideVmm(qemu11, { survey: gpu, planned: layout, kernel, iommu: { ...iommu, atsSupported: false },
      role: 'none', family: null, hostBdf: '0000:0a:65.0', device: 'gpu0', isWhole: false });
    expect(made).toMatchObject({ ok: true, value: {
      verdict: 'obeys-with-knob', unmet: [], notShown: [{ kind: 'not-shown', offset: 0x200, rule: 'reading P7' }] } });
  });

  it('of a device side is about the layout it is told to lay out', () => {
    const small = surveyOf({ standard: [express()], extended: [{ id: 3, offset: 0x100 }] });
    const vmm = { ...qemu11, name: 'libvfio-user', version: null };
    expect(decided(vmm, small, planned(small, { wanted: [] }))).toMatchObject({ verdict: 'exact' });
    expect(decided(vmm, small, planned(small))).toMatchObject({
      verdict: 'cannot-obey', unmet: [{ kind: 'does-not-start', rule: 'L1' }] });
  });
});

describe('the prediction a decision rests on', () => {
  it('is made again with the recorded revision, and not with another', () => {
    const layout = gpuLayout([wholePasid]);
    const decision = decided(qemu11, gpu, layout);
    const from = { space: gpu.space, layout: layout.layout, iommu, role: 'none', family: null } as const;
    expect(predictedAgain(decision, from)?.space?.toBytes()).toEqual(predicted(decision, gpu.space));
    expect(predictedAgain({ ...decision, profile: { ...decision.profile, revision: 99 } }, from)).toBeNull();
  });

  it('is that of a device side over the bytes it was told', () => {
    const small = surveyOf({ standard: [express()], extended: [
      { id: 0x0b, offset: 0x100, body: u32(0x01000001) }] });
    const layout = planned(small, { wanted: [{ name: 'dsn', registers: {} }],
      policy: policy({ strategies: ['pinned'], pinned: { dsn: 0x200 } }) });
    const decision = decided({ ...qemu11, name: 'libvfio-user', version: null }, small, layout);
    const from = { space: small.space, layout: layout.layout, iommu, role: 'none', family: null } as const;
    expect(decision).toMatchObject({ verdict: 'exact', outcome: { kind: 'starts' } });
    expect(predictedAgain(decision, from)?.space?.u16(0x200)).toBe(3);
  });
});
