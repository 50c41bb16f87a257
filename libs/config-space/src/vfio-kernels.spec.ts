import { evaluateLength } from './catalogue/length-term.js';
import { buildConfigSpace, u16, u32 } from './testing/build-config-space.js';
import { type HostKernel, kernelViewOf, kernelViews } from './vfio-kernels.js';

const upstream = (release: string) => kernelViewOf({ release, flavour: 'upstream' });

type Case = readonly [what: string, space: 'standard' | 'extended', id: number, body: readonly number[], bytes: number];

/** Bytes vfio-pci maps, as probed with writes on Linux 6.1: K6, K7, K10. */
const cases: readonly Case[] = [
  ['MSI 32-bit with masks', 'standard', 0x05, u16(0x0100), 0x14],
  ['MSI 64-bit with masks', 'standard', 0x05, u16(0x0180), 0x18],
  ['PCI-X version 0', 'standard', 0x07, u16(0), 8],
  ['PCI-X version 2', 'standard', 0x07, u16(0x2000), 24],
  ['HyperTransport, type bits set', 'standard', 0x08, u16(0xa800), 24],
  ['HyperTransport, type bits clear', 'standard', 0x08, u16(0x0000), 28],
  ['EXP version 1', 'standard', 0x10, u16(0x0001), 0x14],
  ['EXP version 1 RCiEP', 'standard', 0x10, u16(0x0091), 0x0c],
  ['EXP version 2', 'standard', 0x10, u16(0x0002), 0x32],
  ['EXP version 2 RCiEP', 'standard', 0x10, u16(0x0092), 0x2c],
  ['EXP version 0 counts as 2', 'standard', 0x10, u16(0x0000), 0x32],
  ['SATA inline', 'standard', 0x12, [0, 0, ...u32(0xf)], 16],
  ['VSEC', 'extended', 0x0b, u32(0x02210001), 0x22],
  ['ACS without egress control', 'extended', 0x0d, u32(0x2800), 8],
  ['ACS of 40 egress bits', 'extended', 0x0d, u32(0x2820), 0x10],
  ['REBAR of one BAR', 'extended', 0x15, [...u32(0), ...u32(0x20)], 0x0c],
  ['DPA of ten substates', 'extended', 0x16, u32(9), 0x1a],
  ['TPH of eight entries here', 'extended', 0x17, u32(0x00070200), 0x1c],
  ['VC of one channel', 'extended', 0x02, u32(0), 0x1c],
  ['VC of two channels', 'extended', 0x02, u32(1), 0x28],
  ['VC with 32 phases', 'extended', 0x02, [...u32(0), ...u32(2)], 0x30],
  ['VC with 128 phases', 'extended', 0x09, [...u32(0), ...u32(0xe)], 0x60],
];

describe('the bytes vfio-pci maps', () => {
  it.each(cases)('%s', (_, space, id, body, bytes) => {
    const at = space === 'standard' ? 0x40 : 0x100;
    const built = buildConfigSpace({ [space]: [{ id, offset: at, body }] });
    const rule = upstream('6.1').view[space][id] ?? null;
    expect(evaluateLength(rule, { space: built, at, version: 1, expressAt: undefined })).toBe(bytes);
  });

  it('of a PCI Express endpoint are 0x34 where the header of the kernel was mended', () => {
    const built = buildConfigSpace({ standard: [{ id: 0x10, offset: 0x40, body: u16(2) }] });
    const lengths = ['6.11', '6.12', '6.14', '7.0', '7.2'].map((release) => evaluateLength(
      upstream(release).view.standard[0x10] ?? null,
      { space: built, at: 0x40, version: 0, expressAt: undefined }));
    expect(lengths).toEqual([0x32, 0x34, 0x32, 0x34, 0x34]);
  });
});

describe('the views of Linux vfio-pci', () => {
  const named = (release: string, flavour: HostKernel['flavour'] = 'upstream') => {
    const { view, evidence } = kernelViewOf({ release, flavour });
    return [view.name, view.revision, evidence];
  };

  it('have a name and a revision each, and no two have the same', () => {
    expect(kernelViews.map(({ name, revision }) => `${name}/${revision}`)).toEqual([
      'linux-vfio-6.1/1', 'linux-vfio-6.4/1', 'linux-vfio-6.12/1', 'linux-vfio-7.2/1',
      'linux-vfio-6.1-nvidia/1', 'linux-vfio-6.4-nvidia/1', 'linux-vfio-6.12-nvidia/1', 'linux-vfio-7.2-nvidia/1']);
  });

  it.each([
    ['6.1.192', 'linux-vfio-6.1', 'observed'], ['6.3.9', 'linux-vfio-6.1', 'derived'],
    ['6.8', 'linux-vfio-6.4', 'derived'], ['6.12.117', 'linux-vfio-6.12', 'read'],
    ['6.17', 'linux-vfio-6.4', 'derived'], ['6.18', 'linux-vfio-6.12', 'derived'],
    ['7.2.13', 'linux-vfio-7.2', 'observed'], ['8.0', 'linux-vfio-7.2', 'derived'],
    ['5.15', 'linux-vfio-6.1', 'unknown'], ['unreadable', 'linux-vfio-6.1', 'unknown'],
  ])('%s is shown as %s, which is %s', (release, name, evidence) => {
    expect(named(release)).toEqual([name, 1, evidence]);
  });

  it('of NVIDIA kernels were read, whatever the release', () => {
    expect(named('7.2', 'nvidia')).toEqual(['linux-vfio-7.2-nvidia', 1, 'read']);
  });
});
