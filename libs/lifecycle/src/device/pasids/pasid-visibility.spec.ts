import { type ConfigSpace } from '@cadastre/config-space';
import { buildConfigSpace, express, type ExtendedEntry } from '@cadastre/config-space/testing';
import { type VmmRequest } from '@cadastre/device-layout';
import { fold } from '../../decider.js';
import { type Observation } from '../../function/observation.js';
import { attachOver, deviceKey, layoutIn, observation, sure } from '../../testing.js';
import { deviceDecider } from '../device-decider.js';
import { type DecidedLayout, type DeviceEvent } from '../device-events.js';
import { rebuildGuestConfigSpace } from '../guest-config-space.js';
import { type GuestLook, pasidVisibility } from './pasid-visibility.js';

const aer: ExtendedEntry = { id: 0x0001, offset: 0x100 };
/** 20 bits, execute, not privileged. */
const physicalPasid: ExtendedEntry = { id: 0x001b, offset: 0x200, body: [0x02, 0x14, 0, 0] };
const hardware = (...extended: readonly ExtendedEntry[]): ConfigSpace =>
  buildConfigSpace({ standard: [express({ offset: 0x60 })], extended: [aer, ...extended] });
const crosvm: VmmRequest = { name: 'crosvm', version: null, port: 'root-port', settings: {} };
const nvidia = { release: '6.8.0-1021-nvidia-64k', flavour: 'nvidia' };

interface Case {
  readonly observed: Observation;
  readonly layout: DecidedLayout;
  /** What the record says after somebody read this inside the guest. */
  readonly look: (seen: ConfigSpace) => GuestLook;
}

function decided(
  observed: Observation, { pasid = true, vmm = null as VmmRequest | null } = {},
): Case {
  const history = attachOver(observed, { vmm, ...(pasid ? {} : { requested: [] }) });
  const layout = layoutIn(history);
  const state = fold(deviceDecider, history);
  return {
    observed, layout,
    look: (seen) => {
      const [event] = sure(deviceDecider.decide({ kind: 'observe-guest', key: deviceKey(), observed, seen }, state));
      if (!isLook(event)) throw new Error(`a look came to ${event?.type ?? 'nothing'}`);
      return { revision: 2, event };
    },
  };
}

function isLook(event: DeviceEvent | undefined): event is GuestLook['event'] {
  return event?.type === 'LayoutConfirmed' || event?.type === 'LayoutDiverged';
}

describe('the PASID capability a guest finds, while nobody looked', () => {
  it('is that of the layout where no VMM was named', () => {
    const { layout, observed } = decided(observation({}, hardware()));
    expect(pasidVisibility(layout, observed, null)).toEqual({
      pasid: { offset: layout.placements[0]?.offset, widthBits: 16, exec: false, priv: true }, toldBy: 'layout',
      revision: null,
    });
  });

  it('is none where none was asked for and the hardware has none', () => {
    const { layout, observed } = decided(observation({}, hardware()), { pasid: false });
    expect(pasidVisibility(layout, observed, null)).toEqual({ pasid: null, toldBy: 'layout', revision: null });
  });

  it('is that of the hardware only where the host kernel shows it', () => {
    const space = hardware(physicalPasid);
    const upstream = decided(observation({}, space), { pasid: false });
    expect(pasidVisibility(upstream.layout, upstream.observed, null).pasid).toBe(null);
    const shown = decided(observation({ kernel: nvidia }, space), { pasid: false });
    expect(pasidVisibility(shown.layout, shown.observed, null).pasid)
      .toEqual({ offset: 0x200, widthBits: 20, exec: true, priv: false });
  });

  it('is what the VMM is predicted to show: none where it makes none', () => {
    const { layout, observed } = decided(observation({}, hardware()), { vmm: crosvm });
    expect(layout.vmm?.verdict).toBe('cannot-obey');
    expect(layout.placements).toHaveLength(1);
    expect(pasidVisibility(layout, observed, null)).toEqual({ pasid: null, toldBy: 'prediction', revision: null });
  });
});

describe('the PASID capability a guest finds, once somebody looked', () => {
  it('is that of the layout when the look confirms it', () => {
    const { layout, observed, look } = decided(observation({}, hardware()));
    const seen = look(rebuildGuestConfigSpace(layout, observed));
    expect(seen.event.type).toBe('LayoutConfirmed');
    expect(pasidVisibility(layout, observed, seen)).toMatchObject({
      pasid: { offset: layout.placements[0]?.offset, widthBits: 16 }, toldBy: 'guest', revision: 2,
    });
  });

  it('is none when the guest was seen without it, whatever was decided', () => {
    const { layout, observed, look } = decided(observation({}, hardware()));
    expect(pasidVisibility(layout, observed, look(hardware())))
      .toEqual({ pasid: null, toldBy: 'guest', revision: 2 });
  });

  it('is the one that was seen elsewhere, with what its registers say', () => {
    const { layout, observed, look } = decided(observation({}, hardware()));
    expect(pasidVisibility(layout, observed, look(hardware({ ...physicalPasid, offset: 0x300 })))).toEqual({
      pasid: { offset: 0x300, widthBits: 20, exec: true, priv: false }, toldBy: 'guest', revision: 2,
    });
  });

  it('is a physical one too, when the guest confirms that it reads it', () => {
    const { layout, observed, look } = decided(observation({}, hardware(physicalPasid)), { pasid: false });
    const seen = look(rebuildGuestConfigSpace(layout, observed));
    expect(pasidVisibility(layout, observed, seen).pasid).toMatchObject({ offset: 0x200 });
  });

  it('is none when the guest reads what was predicted, and that has none', () => {
    const { layout, observed, look } = decided(observation({}, hardware()), { vmm: crosvm });
    const shown = look(hardware());
    expect(pasidVisibility(layout, observed, shown)).toEqual({ pasid: null, toldBy: 'guest', revision: 2 });
  });
});
