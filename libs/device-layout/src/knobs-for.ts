import {
  ByteRange, type ConfigSpace, type HostKernel, type SriovRole, type Survey, vfioView,
} from '@cadastre/config-space';
import {
  type ConfigurationFragment, configurationOf, type DeviceNames, type GuestPort, type GuestPrediction, guestView,
  identitySettings, type ImplicitDefault, type PasidFacts, settingsFor, type VmmProfile,
  type WantedPlacement,
} from '@cadastre/vmm-profiles';
import { hardwareBehind } from './hardware-behind.js';
import { identityOf, type LayoutDocument } from './layout-document.js';
import { type Placement } from './layout.js';
import { patchesBetween } from './patches-between.js';
import { placementsOf } from './placements-of.js';
import { type Unmet, unmetBy } from './unmet.js';
import { vfioFunctionOf } from './vfio-function.js';

/** Where a layout is to be shown, and what is set there anyway. */
export interface LayoutHost {
  /** The function that shows it; null when nobody told, and the document has to stand for it. */
  readonly physical: Survey | null;
  readonly role: SriovRole;
  /** Of a VF's PF, whose IDs the kernel shows for the VF; null where it is not known, or there is none. */
  readonly family: Survey | null;
  readonly kernel: HostKernel;
  /** What the IOMMU has; null when nobody told, and what the layout's PASID says is taken. */
  readonly pasid: PasidFacts | null;
  /** Whether the IOMMU says that the function can use ATS; true when not given. */
  readonly atsSupported?: boolean;
  readonly barSizesBytes?: readonly number[];
  readonly port: GuestPort;
  /** What the control plane sets anyway. */
  readonly settings: Readonly<Record<string, string>>;
  readonly names: DeviceNames;
  /**
   * Places somebody asked for; not given, the whole layout was. What else of the hardware the kernel or the VMM hides
   * from every guest, as SR-IOV, keeps nobody from what they asked for: it is told in `notShown`.
   */
  readonly asked?: readonly Pick<Placement, 'offset'>[];
}

/** A document alone, on a kernel that was looked at. */
export const documentAlone: LayoutHost = {
  physical: null, role: 'none', family: null, kernel: { release: '7.2', flavour: 'upstream' }, pasid: null,
  port: 'root-port', settings: {}, names: {},
};

/** What a control plane must set so that a guest finds a layout, or why that cannot be. */
export interface KnobsAnswer {
  readonly profile: { readonly name: string; readonly revision: number };
  /**
   * `exact`: it shows the layout of itself. `obeys-with-knob`: with `settings`, what was asked for, but for `notShown`.
   * `cannot-obey`: whatever is set; see `unmet`.
   */
  readonly verdict: 'exact' | 'obeys-with-knob' | 'cannot-obey';
  readonly settings: Readonly<Record<string, string>>;
  /** The settings and what is set anyway, in the words of the VMM: it gives the guest that was predicted. */
  readonly configuration: readonly ConfigurationFragment[];
  /** Capabilities the VMM is asked to make. */
  readonly wanted: readonly WantedPlacement[];
  readonly unmet: readonly Unmet[];
  /** Capabilities of the hardware that nobody asked for and the guest does not find. */
  readonly notShown: readonly Unmet[];
  readonly implicitDefault: ImplicitDefault | null;
  readonly needs: readonly string[];
  /** What the guest reads with all this set. */
  readonly seen: GuestPrediction;
}

/**
 * Finds the settings with which a VMM shows a layout, predicts the guest with them, and judges byte for byte whether
 * it is that layout.
 */
export function knobsFor(
  layout: LayoutDocument, profile: VmmProfile, host: LayoutHost = documentAlone,
): KnobsAnswer {
  const physical = host.physical ?? hardwareBehind(layout);
  const about = vfioFunctionOf(host.role, host.family);
  const shown = profile.reads === 'vfio-pci' ? vfioView(physical.space, host.kernel, about).space : physical.space;
  const { wanted, starts, pasid: asked } = placementsOf(layout, shown);
  const { settings: made, unmet: told, implicitDefault, needs } = settingsFor(wanted, profile, starts);
  const settings = { ...made, ...identityKnobs(layout, profile, shown, host.physical) };
  const all = { ...host.settings, ...settings };
  const pasid = asked && (host.pasid ?? asked);
  const seen = guestView(profile.reads === 'device-side' ? layout.space : physical.space, profile, {
    port: host.port, settings: all, patches: patchesBetween(physical.space, layout.space),
    // A guest's IOMMU with PASID is set up for a guest that is to have PASID.
    viommuPasid: asked !== null,
  }, {
    kernel: host.kernel, about, pasid, atsSupported: host.atsSupported ?? true,
    ...(host.barSizesBytes ? { barSizesBytes: host.barSizesBytes } : {}),
  });
  // Who lays a whole document out needs no hardware to be told.
  const isHardwareKnown = host.physical !== null || profile.reads !== 'vfio-pci';
  const differing = unmetBy({ seen, layout, settings, told, physical, isHardwareKnown });
  const isIncidental = ({ kind, offset }: Unmet): boolean => kind === 'not-shown' && host.asked !== undefined
    && !host.asked.some((one) => one.offset === offset);
  const notShown = differing.filter(isIncidental);
  const unmet = differing.filter((one) => !isIncidental(one));
  const isExact = notShown.length === 0 && Object.keys(settings).length === 0;
  return {
    profile: { name: profile.name, revision: profile.revision },
    verdict: unmet.length > 0 ? 'cannot-obey' : isExact ? 'exact' : 'obeys-with-knob',
    settings, configuration: configurationOf(profile, { settings: all, port: host.port, pasid }, host.names),
    wanted, unmet, notShown, implicitDefault, needs, seen,
  };
}

/** Settings for the IDs and the class that the layout has and the kernel does not show (Q24). */
function identityKnobs(
  { identity, ranges }: LayoutDocument, { settings }: VmmProfile, shown: ConfigSpace, known: Survey | null,
): Readonly<Record<string, string>> {
  const there = identityOf(shown);
  const before = known && identityOf(known.space);
  return Object.fromEntries(identitySettings.flatMap(({ field, setting, offset }) => {
    const value = identity[field];
    const isReplaced = (before !== null && before[field] !== value) || ranges.some((one) =>
      one.provenance.rule === 'replace-identity' && ByteRange.contains(one, { offset, length: 1 }));
    const isAsked = Object.hasOwn(settings, setting) && value !== null && isReplaced
      && (known === null || there[field] !== value);
    return isAsked ? [[setting, `0x${value.toString(16)}`] as const] : [];
  }));
}
