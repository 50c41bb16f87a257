import { type ByteRange } from '@cadastre/config-space';
import { type QuirkRow } from './quirk-row.js';

const from = (first: number, last: number): ByteRange => ({ offset: first, length: last - first + 1 });

/** Port logic of DesignWare PCIe cores; non-zero in every capture of these functions. */
const designWare = [from(0x700, 0xb7f)];
const captures = 'captures of these functions';
const linuxBe2net = 'Linux vfio-pci and drivers/net/ethernet/emulex/benet: registers between capabilities';
const linuxAtsQuirks = 'Linux drivers/pci/quirks.c: ATS is not used in these functions';

/** Registers outside every capability, and other things config space does not tell, by function. */
export const knownQuirks: readonly QuirkRow[] = [
  { name: 'designware-samsung', match: { vendorId: 0x144d, deviceIds: [0xa808, 0xa826] },
    forbidden: designWare, source: captures },
  { name: 'designware-realtek', match: { vendorId: 0x10ec, deviceIds: [0x8125, 0x8136, 0x8168] },
    forbidden: designWare, source: captures },
  { name: 'designware-atheros', match: { vendorId: 0x168c, deviceIds: [0x002a] },
    forbidden: designWare, source: captures },
  { name: 'designware-oxford', match: { vendorId: 0x1415, deviceIds: [0xc118, 0xc11b] },
    forbidden: designWare, source: captures },
  { name: 'designware-synopsys', match: { vendorId: 0x16c3, deviceIds: [0xedda] },
    forbidden: designWare, source: captures },
  { name: 'designware-sifive', match: { vendorId: 0xf15e, deviceIds: [0x0000], classes: [0x0604] },
    forbidden: designWare, source: captures },
  { name: 'nvidia-scattered-registers', match: { vendorId: 0x10de, deviceIds: [0x24a0, 0x0a65, 0x228b] },
    forbidden: [from(0x40, 0x5f), from(0x400, 0xfff)], source: `${captures} (reading F3)` },
  { name: 'nvidia-display-and-audio', match: { vendorId: 0x10de, classes: [0x0300, 0x0302, 0x0380, 0x0403] },
    doubtful: [from(0x400, 0xfff)], source: 'related functions have registers there (reading F3)' },
  { name: 'pericom-undecoded', match: { vendorId: 0x12d8, deviceIds: [0x2304] },
    forbidden: [from(0x400, 0xfff)], source: `${captures}: all ones` },
  { name: 'plx-8532-undecoded', match: { vendorId: 0x10b5, deviceIds: [0x8532] },
    forbidden: [from(0xff8, 0xfff)], source: `${captures}: all ones` },
  { name: 'intel-root-port-registers',
    match: { vendorId: 0x8086, classes: [0x0604],
      deviceIds: [0x460d, 0x463d, 0x464d, 0x466e, 0x51bc, 0x51be, 0x8d18, 0x9d10, 0x2f04] },
    forbidden: [from(0xd0, 0xff), from(0x200, 0xf7f)], source: `${captures} (reading F4)` },
  ...[[0x27d0, 0xfff0], [0x3a40, 0xfff0], [0x3400, 0xfff0]].map(([value = 0, mask = 0]): QuirkRow => ({
    name: `intel-root-port-registers-${value.toString(16)}`,
    match: { vendorId: 0x8086, classes: [0x0604], deviceFamily: { value, mask } },
    forbidden: [from(0xd0, 0xff), from(0x200, 0xf7f)], source: `${captures} (reading F4)` })),
  { name: 'intel-graphics-registers', match: { vendorId: 0x8086, deviceIds: [0x191e, 0x46a6] },
    forbidden: [from(0x50, 0x5f), from(0xfa, 0xff)], source: 'GGC, BDSM and others; VMMs depend on some' },
  { name: 'marvell-4363-aliases', match: { vendorId: 0x11ab, deviceIds: [0x4363] },
    forbidden: [from(0x200, 0xfff)], source: 'the low space again (reading F6)' },
  { name: 'be2net-registers', match: { vendorId: 0x19a2 }, doubtful: [from(0x40, 0xfff)], source: linuxBe2net },
  { name: 'be2net-registers-emulex', match: { vendorId: 0x10df, deviceIds: [0x0720, 0x0728, 0xe220, 0xe228] },
    doubtful: [from(0x40, 0xfff)], source: linuxBe2net },
  { name: 'ibm-citrine-size', match: { vendorId: 0x1014, deviceIds: [0x028c] },
    doubtful: [from(0xa0, 0xfff)],
    source: 'Linux drivers/pci/quirks.c: a read of 0xa0 while DMA runs can end in a parity error' },
  { name: 'netronome-size', match: { vendorId: 0x19ee, deviceIds: [0x4000, 0x5000, 0x6000, 0x6003] },
    doubtful: [from(0x600, 0xfff)], source: 'Linux drivers/pci/quirks.c: accesses above 0x600 can hang the bus' },
  { name: 'intel-dlb-driver-offset', match: { vendorId: 0x8086, deviceIds: [0x2710, 0x2714] },
    places: { pasid: from(0x148, 0x14f) },
    source: 'DPDK drivers/event/dlb2: the driver of the PF turns PASID off at this offset without looking for it' },
  { name: 'amd-ats-ignored', match: { vendorId: 0x1002, deviceIds: [0x98e4, 0x6900, 0x7310, 0x7312, 0x7318, 0x7319,
    0x731a, 0x731b, 0x731e, 0x731f, 0x7340, 0x7341, 0x7347, 0x734f] },
  ignoredByGuests: ['ats', 'pri'], source: linuxAtsQuirks },
  { name: 'amd-picasso-ats-ignored', match: { vendorId: 0x1002, deviceIds: [0x15d8],
    subsystems: [[0xea50, 0xce19], [0xea50, 0xcc10], [0xea50, 0xcc08]], revisions: { least: 0xcf, most: 0xcf } },
  ignoredByGuests: ['ats', 'pri'], source: linuxAtsQuirks },
  { name: 'intel-ipu-ats-ignored', match: { vendorId: 0x8086, deviceIds: [0x1451, 0x1452, 0x1453, 0x1454, 0x1455,
    0x1457, 0x1459, 0x145a, 0x145c], revisions: { least: 0, most: 0x1f } },
  ignoredByGuests: ['ats', 'pri'], source: `${linuxAtsQuirks} before stepping C0` },
  ...[0x21, 0x30].map((revision): QuirkRow => ({
    name: `hisilicon-pasid-without-prefix-${revision.toString(16)}`,
    match: { vendorId: 0x19e5, deviceIds: [0xa250, 0xa251, 0xa255, 0xa256, 0xa258, 0xa259],
      revisions: { least: revision, most: revision } },
    pasidWithoutTlpPrefix: true, source: 'Linux drivers/pci/quirks.c: pasid_no_tlp' })),
];
