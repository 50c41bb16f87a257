import { type ConfigSpace } from '@cadastre/config-space';
import { buildConfigSpace, type ExtendedEntry } from '@cadastre/config-space/testing';
import { type Observation } from '../function/observation.js';
import { attachOver, layoutIn, observation } from '../testing.js';
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

function gone(): ConfigSpace {
  const ones = Array.from({ length: 1024 }, (_, index) =>
    ({ offset: index * 4 as never, mask: 0xffffffff, value: 0xffffffff }));
  return hardware().patched(ones);
}
