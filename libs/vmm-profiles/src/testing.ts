import { readFileSync } from 'node:fs';
import { type ConfigSpace, readLspciText } from '@cadastre/config-space';
import { buildConfigSpace, type ConfigSpaceParts, express, u16, u32 } from '@cadastre/config-space/testing';
import { guestView } from './guest-view.js';
import { type HostFacts } from './host-facts.js';
import { guestPorts, type Knobs } from './knobs.js';
import { type GuestPrediction } from './prediction.js';
import { type VmmProfile } from './vmm-profile.js';
import { profileNamed } from './vmm-profiles.js';

export const linux72: HostFacts = { kernel: { release: '7.2', flavour: 'upstream' }, pasid: null };
export const pasid16 = { widthBits: 16, execute: true, privileged: true } as const;
/** Linux 7.2 with iommufd and an IOMMU of 16 PASID bits. */
export const withPasid: HostFacts = { ...linux72, pasid: pasid16 };
export const nvidiaKernel: HostFacts = { kernel: { release: '6.12', flavour: 'nvidia' }, pasid: pasid16 };

const powerManagement = { id: 1, offset: 0x40, body: [0x03, 0x00, 0x08] };
const endpoint = express({ offset: 0x60, lanes: 4 });
const standard = [powerManagement, endpoint];
/** PM at 40 and PCI Express at 60: what most of the made-up functions list. */
export const listed = { powerManagement, endpoint } as const;

/** The made-up functions of the vectors S1..S6. */
export const device = {
  d1: { standard, extended: [{ id: 1, version: 2, offset: 0x100 }, { id: 0x0e, offset: 0x150 },
    { id: 0x10, offset: 0x160 }, { id: 0x0f, offset: 0x1f0, body: [0x1f] }] },
  d2: { standard, extended: [{ id: 0x10, offset: 0x100, body: [1, 2, 3, 4] }, { id: 3, offset: 0x140 }] },
  d3: { standard },
  d4: { standard: [endpoint], extended: [{ id: 1, version: 2, offset: 0x100 }, { id: 0x0e, offset: 0x150 }] },
  d5: { standard, extended: [{ id: 1, version: 2, offset: 0x100 },
    { id: 0x0b, offset: 0xfc0, body: [1, 0, 0x01, 0x04, ...new Array<number>(0x38).fill(0xab)] }] },
  d6: { standard, extended: [{ id: 1, version: 2, offset: 0x100 }, { id: 3, offset: 0x400 },
    { id: 0x0d, offset: 0x200 }] },
} as const satisfies Record<string, ConfigSpaceParts>;

/** Predicts; a profile that is not there is a bug of the test. */
export function predict(
  parts: ConfigSpaceParts | ConfigSpace, name: string, knobs: Knobs = {}, host: HostFacts = linux72,
): GuestPrediction {
  const profile = profileNamed(name);
  if (!profile.ok) throw new Error(`no profile ${name}`);
  const space = 'size' in parts && 'u8' in parts ? parts : buildConfigSpace(parts);
  return guestView(space, profile.value, knobs, host);
}

/** What a guest reads; a device that does not start is a bug of the test. */
export function guestOf(prediction: GuestPrediction): ConfigSpace {
  if (prediction.space === null) throw new Error(JSON.stringify(prediction.outcome));
  return prediction.space;
}

/** `100:1>1f0:f`: offset and ID of each extended header, as a guest walks them. */
export function extendedOf({ chain }: GuestPrediction): string {
  return chain.extended.map(({ offset, id }) => `${offset.toString(16)}:${id.toString(16)}`).join('>');
}

export function standardOf({ chain }: GuestPrediction): string {
  return chain.standard.map(({ offset, id }) => `${offset.toString(16)}:${id.toString(16)}`).join('>');
}

/** `rule kind` of every finding of the VMM's own. */
export function told({ findings }: GuestPrediction): readonly string[] {
  return findings.filter(({ kind }) => !kind.startsWith('vfio-')).map(({ rule, kind }) => `${rule} ${kind}`);
}

/** `100:0b000000` for every DWORD that differs. */
export function dwordsThatDiffer(one: ConfigSpace, other: ConfigSpace): readonly string[] {
  const found: string[] = [];
  for (let at = 0; at < Math.min(one.size, other.size); at += 4) {
    if (one.u32(at) !== other.u32(at)) found.push(`${at.toString(16)}:${other.u32(at).toString(16).padStart(8, '0')}`);
  }
  return found;
}

export const pinned = (offset: string): Knobs => ({ settings: { 'x-vpasid-cap-offset': offset } });

const sampleNames = ['cxl-type3', 'e1000e', 'igb-pf', 'igb-vf', 'nic-v1', 'nic-v2', 'nvme-pf', 'nvme-vf', 'virtio-net',
  'xhci'];

/** The first function of each sample of the repository. */
export const samples: readonly ConfigSpace[] = sampleNames.map((name) => {
  const read = readLspciText(readFileSync(new URL(`../../../samples/${name}.lspci`, import.meta.url), 'utf8'));
  const [first] = read.ok ? read.value : [];
  if (first === undefined) throw new Error(`sample ${name} cannot be read`);
  return first.space;
});

const extended = [{ id: 1, offset: 0x100 }, { id: 0x15, offset: 0x200,
  body: [...u32(0x00fffff0), ...u32(0xfff00820)] }];
const dvsec = { id: 0x23, offset: 0x180, body: u32(0x01011e98) };
/** Functions whose view each rule of a kernel or a VMM changes. */
const madeUp: readonly ConfigSpaceParts[] = [
  ...Object.values(device), { ...device.d3, extended },
  { ...device.d1, extended: [...device.d1.extended, dvsec, { id: 0x1b, offset: 0x2d0, body: u32(0x1406) }] },
  { ...device.d3, extended: [{ id: 0, offset: 0x100 }, { id: 0x1d, offset: 0x140 }, dvsec] },
  { ...device.d1, vendorId: 0x10de, classCode: 0x030000, bytes: { 0x10: u32(0xfe000000) } },
  { ...device.d1, vendorId: 0x8086, deviceId: 0x9a0b },
  { ...device.d3, classCode: 0x060000, standard: [{ id: 1, offset: 0x40 }], extended },
  { ...device.d3, standard: [...device.d3.standard, { id: 5, offset: 0xa0, body: u16(0x0188) },
    { id: 0x11, offset: 0xc0, body: [...u16(7), ...u32(0x2000), ...u32(0x3000)] }], bytes: { 0x10: u32(0xfe000004) } },
];
export const spacesOfAll: readonly ConfigSpace[] = [...samples, ...madeUp.map((parts) => buildConfigSpace(parts))];

const linux61: HostFacts = { kernel: { release: '6.1', flavour: 'upstream' }, pasid: null };
const withBarSizes: HostFacts = { ...linux72, barSizesBytes: [0x4000, 0, 0, 0, 0, 0] };
export const hostsOfAll: readonly HostFacts[] = [withPasid, linux61, nvidiaKernel, withBarSizes];
/** Settings of which each VMM takes its own. */
const settings: Readonly<Record<string, string>> = {
  'x-vpasid-cap-offset': '0x300', 'x-nv-gpudirect-clique': '5', 'x_nv_gpudirect_clique': '5', 'ats': 'off',
  'x-msix-relocation': 'bar0', 'x-pci-vendor-id': '0x1234', 'x-pci-class-code': '0x030000', 'bar0': 'host',
};

/** Every port, and every setting of its own that a VMM has. */
export function knobsOfAll(profile: VmmProfile): readonly Knobs[] {
  const own = Object.entries(settings).filter(([name]) => Object.hasOwn(profile.settings, name));
  return [...guestPorts.map((port) => ({ port })), ...own.map(([name, value]) => ({ settings: { [name]: value } })),
    { viommuPasid: false }];
}
