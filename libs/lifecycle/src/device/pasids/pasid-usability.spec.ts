import { type ConfigSpace } from '@cadastre/config-space';
import { buildConfigSpace, u16 } from '@cadastre/config-space/testing';
import { type IommuFacts, type QuirkRow } from '@cadastre/device-layout';
import { type Observation } from '../../function/observation.js';
import { functionKey, observation } from '../../testing.js';
import { askedPasid, explainPasidCheck, pasidChecks, type PasidPlatform } from './pasid-usability.js';
import { type PasidVisibility, type VisiblePasid } from './pasid-visibility.js';

const port = functionKey('0000:00:01.0').address;
const visible: VisiblePasid = { offset: 0x134, widthBits: 16, exec: false, priv: true };
const platform: PasidPlatform = { viommuSsidBits: 20, ports: [{ address: port, endEndTlpPrefix: true }] };
const nothing = { widthBits: null, exec: null, priv: null };
/** PCI Express Capabilities register: version 2, and the port type. */
const ofType = (type: number, ids = {}): ConfigSpace =>
  buildConfigSpace({ ...ids, standard: [{ id: 0x10, offset: 0x60, body: [type << 4 | 2, 0] }] });

/** Every permission and 20 bits. */
const whole: IommuFacts = { maxPasidLog2: 20, exec: true, priv: true, atsSupported: true };

function failing(change: {
  request?: object; visible?: VisiblePasid | null; told?: Partial<PasidVisibility>; space?: ConfigSpace;
  physicalFunction?: Observation; iommu?: Partial<IommuFacts>; platform?: object; rows?: readonly QuirkRow[];
} = {}): readonly string[] {
  const pasid = change.visible === undefined ? visible : change.visible;
  const asked = askedPasid({ ...nothing, ...change.request }, pasid);
  const own = observation({ iommu: { ...whole, ...change.iommu } }, change.space ?? ofType(0));
  const seen = { own, physicalFunction: change.physicalFunction ?? null };
  const visibility = { pasid, toldBy: 'layout', revision: null, ...change.told } as const;
  const checks = pasidChecks(asked, visibility, seen, { ...platform, ...change.platform }, change.rows ?? []);
  expect(checks.map(({ check }) => check)).toEqual([
    'capability-visible', 'width-granted', 'execute-granted', 'privileged-granted', 'width-fits-host-iommu',
    'execute-fits-host-iommu', 'privileged-fits-host-iommu', 'width-fits-viommu', 'tlp-prefix-on-path', 'not-quirked',
  ]);
  return checks.filter(({ ok }) => !ok).map((one) => `${one.check}: ${explainPasidCheck(one)}`);
}

describe('a guest can use PASID', () => {
  it('when everything holds; what it leaves out is what it was granted', () => {
    expect(failing()).toEqual([]);
    expect(askedPasid(nothing, visible)).toEqual({ widthBits: 16, exec: false, priv: true });
  });

  it('not when it finds no capability, whoever tells', () => {
    expect(failing({ visible: null, request: { widthBits: 8 } })).toEqual([
      'capability-visible: the layout shows no PASID capability, and nobody looked inside the guest',
      'width-granted: 8 bits of the 0 the guest was granted',
    ]);
    expect(failing({ visible: null, told: { toldBy: 'prediction' } })[0])
      .toBe('capability-visible: the VMM is predicted to show no PASID capability, and nobody looked inside the guest');
    expect(failing({ visible: null, told: { toldBy: 'guest', revision: 4 } })[0])
      .toBe('capability-visible: the guest was last seen, at revision 4, to find no PASID capability');
  });

  it('not wider than the host IOMMU is now, bit by bit', () => {
    for (let bits = 0; bits <= 20; bits += 1) {
      const told = failing({ iommu: { maxPasidLog2: bits } });
      expect(told).toEqual(bits >= 16 ? [] : [`width-fits-host-iommu: 16 bits, and the host IOMMU has ${bits}`]);
    }
  });

  it('not with a permission that the host IOMMU does not have', () => {
    expect(failing({ visible: { ...visible, exec: true }, iommu: { exec: false } }))
      .toEqual(['execute-fits-host-iommu: execute permission is asked for, and not supported by the host IOMMU']);
    expect(failing({ iommu: { priv: false } }))
      .toEqual(['privileged-fits-host-iommu: privileged permission is asked for, and not supported by the host IOMMU']);
    expect(failing({ request: { priv: false }, iommu: { priv: false } })).toEqual([]);
  });

  it('not beyond what it was granted', () => {
    expect(failing({ request: { widthBits: 16 } })).toEqual([]);
    expect(failing({ request: { widthBits: 17 } }))
      .toEqual(['width-granted: 17 bits of the 16 the guest was granted']);
    expect(failing({ request: { exec: true } }))
      .toEqual(['execute-granted: execute permission is asked for, and not granted']);
    expect(failing({ visible: { ...visible, priv: false }, request: { priv: true } }))
      .toEqual(['privileged-granted: privileged permission is asked for, and not granted']);
  });

  it('not wider than the vIOMMU, bit by bit', () => {
    for (let bits = 0; bits <= 20; bits += 1) {
      const told = failing({ platform: { viommuSsidBits: bits } });
      expect(told).toEqual(bits >= 16 ? [] : [`width-fits-viommu: 16 bits, and the vIOMMU has ${bits}`]);
    }
  });

  it('not behind a port that passes no TLP prefixes on, nor on a path nobody told of', () => {
    const ports = [...platform.ports, { address: functionKey('0000:02:00.0').address, endEndTlpPrefix: false }];
    expect(failing({ platform: { ports } }))
      .toEqual(['tlp-prefix-on-path: port 0000:02:00.0 passes no TLP prefixes on']);
    expect(failing({ platform: { ports: [] } })).toEqual(['tlp-prefix-on-path: no port on the path was told']);
  });

  it('inside the root complex without any port, and nowhere else', () => {
    const integrated = [0, 1, 9, 10].filter((type) =>
      failing({ space: ofType(type), platform: { ports: [] } }).length === 0);
    expect(integrated).toEqual([9]);
  });

  it('without TLP prefixes where a quirk says that the function needs none', () => {
    const rows: readonly QuirkRow[] = [
      { name: 'no-prefix', match: { vendorId: 0x19e5, deviceIds: [0xa250] }, pasidWithoutTlpPrefix: true,
        source: 'a test' },
    ];
    const ids = { vendorId: 0x19e5, deviceId: 0xa250 };
    expect(failing({ rows, space: ofType(0, ids), platform: { ports: [] } })).toEqual([]);
    expect(failing({ rows, platform: { ports: [] } })).toHaveLength(1);
  });

  it('without them where the quirk is about a VF, whose IDs only its PF tells', () => {
    const rows: readonly QuirkRow[] = [
      { name: 'no-prefix', match: { vendorId: 0x19e5, deviceIds: [0xa251] }, pasidWithoutTlpPrefix: true,
        source: 'a test' },
    ];
    const pfOf = (vfDeviceId: number): Observation => {
      const body = [...new Array<number>(0x16).fill(0), ...u16(vfDeviceId)];
      const extended = [{ id: 0x10, offset: 0x100, body }];
      return observation({ sriov: { role: 'pf', pf: null } }, buildConfigSpace({ vendorId: 0x19e5, extended }));
    };
    const vf = { rows, space: ofType(0, { vendorId: 0xffff, deviceId: 0xffff }), platform: { ports: [] } };
    const noPath = ['tlp-prefix-on-path: no port on the path was told'];
    expect(failing({ ...vf, physicalFunction: pfOf(0xa251) })).toEqual([]);
    expect(failing({ ...vf, physicalFunction: pfOf(0xa252) })).toEqual(noPath);
    expect(failing(vf)).toEqual(noPath);
  });

  it('not where guests are known to leave it alone', () => {
    const rows: readonly QuirkRow[] = [
      { name: 'broken-pasid', match: { vendorId: 0x1af4 }, ignoredByGuests: ['pasid'], source: 'a test' },
    ];
    expect(failing({ rows })).toEqual(['not-quirked: guests do not use PASID of this function (broken-pasid)']);
  });
});
