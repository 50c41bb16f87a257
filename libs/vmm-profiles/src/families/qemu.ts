import { announcesCapabilities, readHeader } from '@cadastre/config-space';
import { configureQemu } from '../configure-qemu.js';
import { ends, type GuestImage } from '../guest-image.js';
import { identitySettings } from '../identity-settings.js';
import { guestPorts, numberOf, type SettingRow } from '../knobs.js';
import { type MigrationBehaviour, type Outcome, starts } from '../prediction.js';
import { type StandardMade } from '../standard-made.js';
import { type Stage, type VmmProfile } from '../vmm-profile.js';
import { extendedId } from './extended-list.js';
import { showQemuExtended, walksRawList } from './qemu-extended.js';
import { takeMsix } from './qemu-msix.js';
import { resetInterrupts, showQemuStandard } from './qemu-standard.js';
import { type QemuTraits } from './qemu-traits.js';
import { type StandardWalk, walkStandard } from './standard-list.js';

const id16: SettingRow = { kind: 'number', min: 0, max: 0xffff, rule: 'Q24' };
const onOff: SettingRow = { kind: 'one-of', values: ['on', 'off'], rule: 'Q24' };
const always: Readonly<Record<string, SettingRow>> = {
  // A vendor of all-ones is nobody.
  'x-pci-vendor-id': { kind: 'number', min: 0, max: 0xfffe, rule: 'Q24' },
  'x-pci-device-id': id16,
  'x-pci-sub-vendor-id': id16,
  'x-pci-sub-device-id': id16,
  'x-nv-gpudirect-clique': { kind: 'number', min: 0, max: 15, rule: 'Q7' },
  'x-msix-relocation': { kind: 'one-of', rule: 'Q24',
    values: ['off', 'auto', 'bar0', 'bar1', 'bar2', 'bar3', 'bar4', 'bar5'] },
  'multifunction': onOff,
  'rombar': { kind: 'number', min: 0, max: 1, rule: 'Q24' },
};

const makesStandard = (cliqueOffsets: readonly number[]): readonly StandardMade[] => [
  { name: 'nvidia-clique', setting: 'x-nv-gpudirect-clique', offsets: cliqueOffsets, yields: true, rule: 'Q7' },
  { name: 'vmd-shadow', setting: null, offsets: [0xe8], yields: false, rule: 'Q8' },
];

const migration: MigrationBehaviour = {
  kind: 'compares-bytes', rule: 'Q22', confidence: 'V',
  says: 'every byte of an added capability is compared with the destination\'s on load; a difference refuses it late',
};

/** A profile of QEMU's vfio-pci. */
export function qemuProfile(traits: QemuTraits): VmmProfile {
  const { name, evidence, source, rebar, makesPasid, hasAtsSetting, exemptsVendorBytes } = traits;
  return {
    name, revision: 1, evidence, source, reads: 'vfio-pci', migration,
    hides: {
      ids: [0, extendedId.sriov, extendedId.ari, ...(rebar === 'dropped' ? [extendedId.rebar] : [])],
      leaves: 'unlinked; at 0x100 a header with ID 0',
    },
    onlyWithPm: false,
    pasid: makesPasid
      ? { kind: 'setting', setting: 'x-vpasid-cap-offset', implicitOffset: 0xff8 } : { kind: 'none' },
    makesStandard: makesStandard(traits.cliqueOffsets),
    settings: {
      ...always,
      ...(makesPasid ? { 'x-vpasid-cap-offset': { kind: 'number', min: 0, max: 0xffff, rule: 'Q15' },
        'x-pci-class-code': { kind: 'number', min: 0, max: 0xffffff, rule: 'Q24' } } : {}),
      ...(hasAtsSetting ? { ats: { kind: 'one-of', values: ['on', 'off', 'auto'], rule: 'observed 11' } } : {}),
    },
    exemptsVendorBytes,
    failureMode: makesPasid ? 'silent' : 'none',
    forwardsSyntheticWrites: true,
    because: { hides: 'Q11', makesNoStandard: 'Q6', makesNoExtended: makesPasid ? 'Q14' : 'no synthesis' },
    ports: guestPorts,
    configure: configureQemu,
    show: (image, stage) => show(image, stage, traits),
  };
}

function show(image: GuestImage, stage: Stage, traits: QemuTraits): Outcome {
  showHeader(image, stage);
  const list = walkStandard(image.original, 0xff, false);
  const shown = showCapabilities(image, stage, traits, list);
  if (shown.kind !== 'starts') return shown;
  resetInterrupts(image, list.items);
  return mirrorConfig(image, stage);
}

function showCapabilities(image: GuestImage, stage: Stage, traits: QemuTraits, list: StandardWalk): Outcome {
  const { original } = image;
  // Where the guest's bus is conventional, MMCONFIG above 0xff reads nothing.
  const isConventional = stage.port === 'pci-bridge' || stage.port === 'conventional-root';
  if (isConventional) image.cutToConventional();
  if (!announcesCapabilities(readHeader(original)) || original.u8(0x34) === 0) {
    image.report('nothing-done', 'Q1', 'no standard list: nothing is rebuilt, hidden or made');
    return starts;
  }
  const msix = takeMsix(image, stage, list.items);
  if (msix !== undefined && 'kind' in msix) return msix;
  const standard = showQemuStandard(image, stage, traits, list, msix);
  if (standard.kind !== 'starts') return standard;
  // Also where the PCI Express capability was dropped: the bus decides, not the capability (observed 10).
  if (isConventional) return traits.hasAtsSetting ? walksRawList(image) : starts;
  return showQemuExtended(image, stage, traits);
}

/**
 * Q26: QEMU redirects the config mirror in BAR 0 of an NVIDIA display controller. It was seen to stop without a message
 * where the host gave that BAR no resource; by what it reads only a VGA controller has the mirror.
 */
function mirrorConfig(image: GuestImage, { host }: Stage): Outcome {
  const isNvidia = image.u16(0x00) === 0x10de;
  // The BARs of a VF are in its PF, and its own read 0.
  const hasBar = image.original.u32(0x10) !== 0 || (host.barSizesBytes?.[0] ?? 0) > 0 || host.about?.role === 'vf';
  if (!isNvidia || hasBar) return starts;
  const says = 'QEMU was seen to stop without a message when BAR 0 of an NVIDIA function has no host resource';
  if (image.u16(0x0a) === 0x0300) return ends('aborts', 'Q26', says, 'U');
  image.report('may-not-start', 'Q26', says, 0x10, 'U');
  return starts;
}

/** Observed 9 and Q24: the reset state of the emulated header. */
function showHeader(image: GuestImage, { settings }: Stage): void {
  const rule = 'observed 9';
  // I/O, memory, bus master and INTx disable; SERR and parity bits stay as the host has them.
  image.put(0x04, 2, 0, rule, 0x0407);
  image.put(0x0e, 1, settings['multifunction'] === 'on' ? 0x80 : 0, rule, 0x80);
  let upperHalf = false;
  for (let at = 0x10; at < 0x28; at += 4) {
    const low = image.u8(at);
    const type = upperHalf ? 0 : low & ((low & 1) === 1 ? 0x03 : 0x0f);
    image.put(at, 4, type, rule);
    upperHalf = !upperHalf && (low & 0x07) === 0x04;
  }
  image.put(0x30, 4, 0, rule);
  for (const { setting, offset, bytes } of identitySettings) {
    const value = numberOf(settings[setting]);
    for (let index = 0; value !== undefined && index < bytes; index += 1) {
      image.put(offset + index, 1, value >>> (8 * index), 'Q24');
    }
  }
}
