import { announcesCapabilities, extendedSizeBytes, extendedSpaceAt, readHeader } from '@cadastre/config-space';
import { configureCloudHypervisor } from '../configure-other-vmms.js';
import { ends, type GuestImage } from '../guest-image.js';
import { numberOf, type SettingRow } from '../knobs.js';
import { type MigrationBehaviour, type Outcome, starts } from '../prediction.js';
import { type Stage, type VmmProfile } from '../vmm-profile.js';
import { endOfSpacePasid, extendedId, type ExtendedItem, headerAt, pasidBytes, pasidRegisters,
  walkExtended } from './extended-list.js';
import { presentAsIntegrated } from './express.js';
import { type StandardItem, walkStandard } from './standard-list.js';

/** What differs between the two generations of Cloud Hypervisor's passthrough. */
export interface CloudHypervisorTraits {
  readonly name: string;
  readonly source: string;
  /** The old one zeroes the ID of a hidden header (C6); the new one unlinks it and makes PASID (C7, C8). */
  readonly generation: 'old' | 'new';
}

const hidden: readonly number[] = [extendedId.ari, extendedId.rebar, extendedId.sriov];
const pageBytes = 4096;

const migrations: { readonly [G in CloudHypervisorTraits['generation']]: MigrationBehaviour } = {
  old: { kind: 'loses-patches', rule: 'C18', confidence: 'D',
    says: 'patches are neither saved nor made again: hidden capabilities reappear after a restore' },
  new: { kind: 'restores-patches', rule: 'C17', confidence: 'V',
    says: 'the patches of the source are laid over the destination; nothing compares what is below' },
};

/** C15. What only names the device (path, fd, id) is no setting. */
const settings: Readonly<Record<string, SettingRow>> = {
  x_nv_gpudirect_clique: { kind: 'number', min: 0, max: 15, rule: 'C3' },
  iommu: { kind: 'one-of', values: ['on', 'off'], rule: 'C15' },
  pci_segment: { kind: 'number', min: 0, max: 0xffff, rule: 'C15' },
  pci_device_id: { kind: 'number', min: 0, max: 31, rule: 'C15' },
  x_exclude_mmap_bars: { kind: 'numbers', min: 0, max: 5, rule: 'C15' },
};

/** A profile of Cloud Hypervisor. */
export function cloudHypervisorProfile({ name, source, generation }: CloudHypervisorTraits): VmmProfile {
  const isNew = generation === 'new';
  return {
    name, revision: 1, evidence: 'read', source, reads: 'vfio-pci',
    hides: { ids: hidden, leaves: isNew ? 'unlinked; at 0x100 a header with ID 0' : 'a header with ID 0, in the list' },
    onlyWithPm: true,
    pasid: isNew ? { kind: 'end-of-space' } : { kind: 'none' },
    makesStandard: [{
      name: 'nvidia-clique', setting: 'x_nv_gpudirect_clique', offsets: [0xd4], yields: false, rule: 'C3',
    }],
    settings,
    migration: migrations[generation],
    exemptsVendorBytes: false,
    failureMode: isNew ? 'refused' : 'none',
    forwardsSyntheticWrites: false,
    because: { hides: 'C5', makesNoStandard: 'C2', makesNoExtended: isNew ? 'C8' : 'no synthesis' },
    ports: ['root-port'],
    configure: configureCloudHypervisor,
    show: (image, stage) => show(image, stage, isNew),
  };
}

function show(image: GuestImage, stage: Stage, isNew: boolean): Outcome {
  const { original } = image;
  image.put(0x0e, 1, 0, 'C2', 0x80);
  image.leaveOpen(0x10, 24, 'C2');
  image.leaveOpen(0x30, 4, 'C2');
  if (!announcesCapabilities(readHeader(original))) return starts;
  const walk = walkStandard(original, 0xfc, true);
  if (walk.loops) return ends('hangs', 'C1', 'the standard list loops: the walk never ends', 'D');
  addClique(image, stage, walk.items);
  moveMsix(image, stage, walk.items);
  const express = walk.items.find(({ id }) => id === 0x10);
  if (express === undefined || !walk.items.some(({ id }) => id === 0x01)) {
    image.report('nothing-hidden', 'C4', 'PCI Express and PM are not both listed: nothing is hidden or made');
    return starts;
  }
  if (!original.hasExtendedSpace) return starts;
  const extended = walkExtended(original);
  if (extended.ends === 'loops') return ends('hangs', 'C5', 'the extended list loops', 'U');
  for (const { id, offset } of extended.items) {
    if (hidden.includes(id)) image.report('capability-hidden', 'C5', `ID 0x${id.toString(16)} is hidden`, offset);
  }
  if (!isNew) {
    for (const item of extended.items) if (hidden.includes(item.id)) image.put(item.offset, 2, 0, 'C6');
    return starts;
  }
  unlinkHidden(image, extended.items);
  return makePasid(image, stage, express, extended.items);
}

function addClique(image: GuestImage, { settings }: Stage, items: readonly StandardItem[]): void {
  const clique = numberOf(settings['x_nv_gpudirect_clique']);
  const last = items.at(-1);
  if (clique === undefined || last === undefined) return;
  image.put(last.offset + 1, 1, 0xd4, 'C3');
  image.put(0xd4, 4, 0x50080009, 'C3');
  image.put(0xd8, 4, (clique << 19) | 0x5032, 'C3');
  image.emulated.push({ offset: 0xd4, length: 8, rule: 'C3' });
  const inside = items.find(({ offset }) => offset >= 0xd4 && offset < 0xdc);
  if (inside) image.report('header-destroyed', 'C3', 'the clique capability covers a header', inside.offset, 'D');
}

/** C16: a table that does not start on a page gets a BAR twice the size and its upper half. */
function moveMsix(image: GuestImage, { host }: Stage, items: readonly StandardItem[]): void {
  const msix = items.find(({ id }) => id === 0x11);
  // Where the space ends within it, it names no table.
  if (msix === undefined || msix.offset + 12 > image.size) return;
  const [table, pba] = [image.u32(msix.offset + 4), image.u32(msix.offset + 8)];
  const tableAt = (table & ~7) >>> 0;
  if (tableAt % pageBytes === 0) return;
  const sizeBytes = host.barSizesBytes?.[table & 7];
  if (sizeBytes === undefined) {
    image.report('bar-size-needed', 'C16', 'where MSI-X goes depends on the size of the BAR', msix.offset, 'U');
    image.leaveOpen(msix.offset + 4, 8, 'C16');
    return;
  }
  const pbaAt = (pba & ~7) >>> 0;
  const entries = (image.u16(msix.offset + 2) & 0x7ff) + 1;
  const bothBytes = entries * 16 + Math.ceil(entries / 64) * 8;
  const grown = Math.max(2 * sizeBytes, 2 * Math.ceil(bothBytes / pageBytes) * pageBytes);
  image.put(msix.offset + 4, 4, (grown / 2 | (table & 7)) >>> 0, 'C16');
  image.put(msix.offset + 8, 4, ((grown / 2 + pbaAt - tableAt) | (pba & 7)) >>> 0, 'C16');
}

/** C7. The links are followed in walk order, so that a run of hidden ones is skipped as one. */
function unlinkHidden(image: GuestImage, items: readonly ExtendedItem[]): void {
  let previous: ExtendedItem | undefined;
  for (const item of items) {
    if (!hidden.includes(item.id)) {
      previous = item;
      continue;
    }
    const next = (item.next << 20) >>> 0;
    if (previous === undefined) image.put(extendedSpaceAt, 4, next, 'C7');
    else image.put(previous.offset, 4, next, 'C7', 0xfff00000);
  }
}

function makePasid(
  image: GuestImage, { host, viommuPasid }: Stage, express: StandardItem, items: readonly ExtendedItem[],
): Outcome {
  if (host.pasid === null || host.pasid.widthBits === 0 || !viommuPasid) return starts;
  const own = items.find(({ id }) => id === extendedId.pasid);
  if (own !== undefined) {
    image.report('two-pasid-capabilities', 'reading E1', 'beside a physical PASID: not known', own.offset);
    image.leaveOpen(extendedSpaceAt, extendedSizeBytes - extendedSpaceAt, 'reading E1');
    return starts;
  }
  // C10 asks the last one kept, and takes a zero DWORD at 0x100 for one.
  const last = items.filter(({ id }) => !hidden.includes(id)).at(-1) ?? headerAt(image, extendedSpaceAt);
  const offset = endOfSpacePasid;
  if (last.offset >= offset || items.some((one) => one.offset >= offset)) {
    const first = items.find((one) => one.offset >= offset) ?? last;
    image.report('device-fails', 'C12', 'what cannot be made fails the device, and the VM with it', first.offset);
    return ends('refused', 'C10', `the header at 0x${first.offset.toString(16)} is in the way of PASID at 0xff8`);
  }
  image.put(last.offset, 4, (offset << 20) >>> 0, 'C11', 0xfff00000);
  image.put(offset, 4, 0x0001001b, 'C8');
  image.put(offset + 4, 4, pasidRegisters(host.pasid), 'C14');
  image.emulated.push({ offset, length: pasidBytes, rule: 'C8' });
  image.report('implicit-offset', 'C8', 'PASID alone is at 0xff8', offset);
  image.report('place-is-fixed', 'C15', 'no setting moves it', offset);
  image.report('writes-stay', 'C13', 'writes to it do not reach the hardware', offset);
  image.report('pasid-control', 'C19', 'which control bits are writable is not known', offset + 6);
  if (items.length === 1 && last.id === 0) {
    image.report('list-begun', 'C11', 'an empty list is begun at 0x100', extendedSpaceAt, 'D');
  }
  if ([0, 4].some((at) => image.original.u32(offset + at) !== 0)) {
    image.report('registers-covered', 'C10', 'bytes that are not zero read as PASID now', offset);
  }
  presentAsIntegrated(image, express.offset, (image.u16(express.offset + 2) & 0xf) > 1, 'C9');
  return starts;
}
