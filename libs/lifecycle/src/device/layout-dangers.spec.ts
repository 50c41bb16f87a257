import { type ConfigSpace } from '@cadastre/config-space';
import { buildConfigSpace, type ExtendedEntry } from '@cadastre/config-space/testing';
import { type Persona, type VmmRequest } from '@cadastre/device-layout';
import { decidedDocument } from '../migration/guest-document.js';
import { type Observation } from '../function/observation.js';
import { attachOver, layoutIn, observation, qemu11 } from '../testing.js';
import { type CapabilityRequest, type DecidedLayout } from './device-events.js';
import { layoutDangers } from './layout-dangers.js';

const standard = [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }, { id: 0x05, offset: 0x50 }];
const aer: ExtendedEntry = { id: 0x0001, offset: 0x100 };
const ltr: ExtendedEntry = { id: 0x0018, offset: 0x200 };
const hardware = (extended: readonly ExtendedEntry[] = [aer, ltr]): ConfigSpace =>
  buildConfigSpace({ standard, extended });
const pasid: CapabilityRequest = { name: 'pasid', widthBits: 16, exec: null, priv: null };

function decided(stoodOn: Observation, requested: readonly CapabilityRequest[] = [pasid]): DecidedLayout {
  return layoutIn(attachOver(stoodOn, { requested }));
}

/** The hardware with a byte changed. */
function with8(at: number, value: number, space = hardware()): ConfigSpace {
  const lane = at % 4 * 8;
  return space.patched([{ offset: at - at % 4 as never, mask: 0xff << lane >>> 0, value: value << lane >>> 0 }]);
}

const stoodOn = observation({}, hardware());
const layout = decided(stoodOn);
const place = layout.placements[0]?.offset ?? 0;
const dangers = (seen: Observation): readonly string[] => layoutDangers(layout, stoodOn, seen).map(({ kind }) => kind);

describe('a guest that runs on a layout', () => {
  it('is in no danger while the hardware is as it was', () => {
    expect(dangers(stoodOn)).toEqual([]);
    expect(layoutDangers(decided(stoodOn, []), stoodOn, stoodOn)).toEqual([]);
  });

  it.each([
    ['the command register', 0x04, 0x07],
    ['the address in a BAR', 0x17, 0xfe],
    ['the MSI address a driver wrote', 0x54, 0xfe],
    ['an error the hardware logged', 0x104, 0x10],
    ['a byte nobody placed anything over', 0x800, 0x55],
  ])('does not mind %s', (_what, at, value) => {
    expect(dangers(observation({}, with8(at, value)))).toEqual([]);
  });

  it('is endangered when any byte under a placed capability is no longer free', () => {
    for (let at = place; at < place + 8; at += 1) {
      expect(layoutDangers(layout, stoodOn, observation({}, with8(at, 0x80)))).toEqual([{
        kind: 'place-taken', space: 'extended', id: 0x1b, name: 'pasid', offset: place, at, by: 'unknown-non-zero',
      }]);
    }
  });

  it('is endangered when a capability it saw has moved or is gone', () => {
    const moved = buildConfigSpace({ standard: [standard[0] ?? { id: 0x10, offset: 0x60 }, { id: 0x05, offset: 0x48 }],
      extended: [aer, ltr] });
    expect(dangers(observation({}, moved))).toContain('offset-would-move');
    // The patched link still leads to where it was.
    expect(dangers(observation({}, hardware([aer, { ...ltr, offset: 0x240 }])))).toEqual(['capability-missing']);
    expect(dangers(observation({}, hardware([aer])))).toEqual(['capability-missing']);
  });

  it('is endangered when a new capability is linked behind what it saw', () => {
    const seen = observation({}, hardware([aer, ltr, { id: 0x001e, offset: 0x300, body: new Array(12).fill(0) }]));
    expect(dangers(seen)).toContain('capability-extra');
  });

  it('is endangered when the function is another one, answers no more, or lost its extended space', () => {
    expect(dangers(observation({}, with8(0x02, 0x99)))).toEqual(['identity-differs']);
    expect(dangers(observation({}, gone()))).toContain('function-unfit');
    expect(dangers(observation({}, buildConfigSpace({ size: 256, standard })))).toEqual(['config-size-smaller']);
  });

  it('is endangered when the IOMMU gives less than was promised', () => {
    const iommu = { maxPasidLog2: 8, exec: false, priv: true, atsSupported: true };
    expect(dangers(observation({ iommu }, hardware()))).toEqual(['register-weaker']);
    const none = { maxPasidLog2: 0, exec: false, priv: false, atsSupported: true };
    expect(dangers(observation({ iommu: none }, hardware()))).not.toEqual([]);
  });

  it('is safe again when the hardware is as it was', () => {
    expect(dangers(observation({}, with8(place, 0x80)))).not.toEqual([]);
    expect(dangers(observation({ firmware: 'older' }, hardware()))).toEqual([]);
  });
});

describe('a guest whose host has another kernel', () => {
  // Standard, then extended capabilities: one that Linux shows since 6.4, one that only a flavour of it shows.
  const dvsec: ExtendedEntry = { id: 0x0023, offset: 0x240, body: [0x98, 0x1e, 0x01, 0x01, 0, 0, 0, 0] };
  const listed: ExtendedEntry = { id: 0x001b, offset: 0x280, body: [0x04, 0x10, 0, 0] };
  const bytes = hardware([aer, dvsec, listed]);
  const under = (release: string, flavour = 'upstream'): Observation =>
    observation({ kernel: { release, flavour } }, bytes);
  const [first, vendors] = [under('7.2.13'), under('7.2.13', 'nvidia')];
  const over = (stoodOn: Observation, vmm: VmmRequest | null): DecidedLayout =>
    layoutIn(attachOver(stoodOn, { requested: [], vmm }));

  it('is in no danger while that shows what the one before it showed', () => {
    expect(layoutDangers(over(first, qemu11), first, under('7.3.1'))).toEqual([]);
  });

  it('is endangered when that hides what it has found, shows one more, or has its VMM make one elsewhere', () => {
    const hidden = { space: 'extended', id: 0x23, name: 'DVSEC', offset: 0x240 };
    expect(layoutDangers(over(first, qemu11), first, under('6.1.192'))).toEqual([{ kind: 'vmm-hides-it', ...hidden }]);
    const old = under('6.1.192');
    expect(layoutDangers(over(old, qemu11), old, first)).toEqual([{ kind: 'capability-extra', ...hidden }]);
    expect(layoutDangers(over(vendors, qemu11), vendors, first)).toEqual([
      { kind: 'offset-would-move', space: 'extended', id: 0x1b, name: 'PASID', layout: 0x280, destination: 0xff8 }]);
  });

  it('is endangered when no guest would start under that any more', () => {
    // Linux hides a DVSEC before 6.4; where it stands in the last 8 bytes, Cloud Hypervisor has no place for PASID.
    const last: ExtendedEntry = { id: 0x0023, offset: 0xff8, body: [0x98, 0x1e, 0x81, 0x00] };
    const card = buildConfigSpace({ standard: [...standard, { id: 0x01, offset: 0x40 }], extended: [aer, last] });
    const [old, now] = ['6.1.192', '7.2.13'].map((release) =>
      observation({ kernel: { release, flavour: 'upstream' } }, card)) as [Observation, Observation];
    const packing: VmmRequest = { name: 'cloud-hypervisor', version: 'new', port: 'root-port', settings: {} };
    const promised = layoutIn(attachOver(old, { requested: [pasid], vmm: packing }));
    expect(layoutDangers(promised, old, now)).toEqual([{
      kind: 'does-not-start', vmm: 'cloud-hypervisor-new', rule: 'C10',
      says: 'the header at 0xff8 is in the way of PASID at 0xff8',
    }]);
  });

  it('is not judged where nobody told its VMM', () => {
    expect(layoutDangers(over(first, null), first, under('6.1.192'))).toEqual([]);
  });
});

function gone(): ConfigSpace {
  const ones = Array.from({ length: 1024 }, (_, index) =>
    ({ offset: index * 4 as never, mask: 0xffffffff, value: 0xffffffff }));
  return hardware().patched(ones);
}

describe('a guest whose device wears a persona', () => {
  const serial = (offset: number): ExtendedEntry => ({ id: 0x0003, offset, body: [1, 2, 3, 4, 5, 6, 7, 8] });
  const first = observation({}, hardware([aer, serial(0x140)]));
  const published = decidedDocument(layoutIn(attachOver(first, { requested: [pasid] })), first);
  const persona: Persona = { name: 'card-v1', version: 1, layout: published };
  const newer = hardware([aer, { id: 0x0018, offset: 0x140 }, serial(0x200)]);
  const under = observation({}, newer);
  const worn = layoutIn(attachOver(under, { requested: [], persona }));
  const dangersIn = (space: ConfigSpace): readonly object[] => layoutDangers(worn, under, observation({}, space));

  it('finds what the persona has, whatever the hardware has there', () => {
    expect(worn.relocations).toMatchObject([{ name: 'DSN', guest: 0x140, physical: 0x200 }]);
    expect(decidedDocument(worn, under).capabilities.find(({ name }) => name === 'DSN'))
      .toMatchObject({ offset: 0x140, length: 12, backing: { kind: 'physical', offset: 0x200 } });
  });

  it.each([
    ['nothing', 0x04, 0], ['the command register', 0x04, 0x07], ['an error the hardware logged', 0x104, 0x10],
    ['what is hidden under a relocated capability', 0x144, 0x55],
  ])('is in no danger when the hardware changed %s', (_what, at, value) => {
    expect(dangersIn(with8(at, value, newer))).toEqual([]);
  });

  it('is endangered once what is behind a capability moves or goes, or a register is under its place', () => {
    expect(dangersIn(hardware([aer, { id: 0x0018, offset: 0x140 }, serial(0x240)]))).toMatchObject([
      { kind: 'offset-would-move', name: 'DSN', layout: 0x200, destination: 0x240 }]);
    expect(dangersIn(hardware([aer, { id: 0x0018, offset: 0x140 }]))).toMatchObject([
      { kind: 'capability-missing', name: 'DSN', offset: 0x140 }]);
    const [pasidAt] = worn.placements;
    expect(dangersIn(with8((pasidAt?.offset ?? 0) + 4, 1, newer))).toContainEqual(
      expect.objectContaining({ kind: 'place-taken', name: 'PASID' }));
  });
});
