import { type ConfigSpace } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { type QuirkRow } from '@cadastre/device-layout';
import { functionKey, observation } from '../../testing.js';
import {
  askedPasid, explainPasidCheck, pasidChecks, type PasidPlatform, type VisiblePasid,
} from './pasid-usability.js';

const port = functionKey('0000:00:01.0').address;
const visible: VisiblePasid = { offset: 0x134, widthBits: 16, exec: false, priv: true };
const platform: PasidPlatform = { viommuSsidBits: 20, ports: [{ address: port, endEndTlpPrefix: true }] };
const nothing = { widthBits: null, exec: null, priv: null };
/** PCI Express Capabilities register: version 2, and the port type. */
const ofType = (type: number, ids = {}): ConfigSpace =>
  buildConfigSpace({ ...ids, standard: [{ id: 0x10, offset: 0x60, body: [type << 4 | 2, 0] }] });

function failing(change: {
  request?: object; visible?: VisiblePasid | null; space?: ConfigSpace; platform?: object; rows?: readonly QuirkRow[];
} = {}): readonly string[] {
  const seen = change.visible === undefined ? visible : change.visible;
  const asked = askedPasid({ ...nothing, ...change.request }, seen);
  const checks = pasidChecks(asked, seen, observation({}, change.space ?? ofType(0)),
    { ...platform, ...change.platform }, change.rows ?? []);
  expect(checks.map(({ check }) => check)).toEqual([
    'capability-visible', 'width-granted', 'execute-granted', 'privileged-granted', 'width-fits-viommu',
    'tlp-prefix-on-path', 'not-quirked',
  ]);
  return checks.filter(({ ok }) => !ok).map((one) => `${one.check}: ${explainPasidCheck(one)}`);
}

describe('a guest can use PASID', () => {
  it('when everything holds; what it leaves out is what it was granted', () => {
    expect(failing()).toEqual([]);
    expect(askedPasid(nothing, visible)).toEqual({ widthBits: 16, exec: false, priv: true });
  });

  it('not when no layout shows it the capability', () => {
    expect(failing({ visible: null, request: { widthBits: 8 } })).toEqual([
      'capability-visible: the layout shows no PASID capability',
      'width-granted: 8 bits of the 0 the guest was granted',
    ]);
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

  it('not where guests are known to leave it alone', () => {
    const rows: readonly QuirkRow[] = [
      { name: 'broken-pasid', match: { vendorId: 0x1af4 }, ignoredByGuests: ['pasid'], source: 'a test' },
    ];
    expect(failing({ rows })).toEqual(['not-quirked: guests do not use PASID of this function (broken-pasid)']);
  });
});
