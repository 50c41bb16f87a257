import { type ConfigSpace, type HostKernel, vfioView, vfioWrites, type WriteMask } from '@cadastre/config-space';
import { type GuestPrediction, guestView, guestWrites, type HostFacts, profileNamed,
  type VmmProfile } from '@cadastre/vmm-profiles';
import { type Captured, type CapturedGuest, type CapturedProbe, knobsOf, type ProbedByte } from './captures.js';

const kernelOf = ({ kernel }: Captured): HostKernel => ({ release: kernel, flavour: 'upstream' });

/** The made-up bus gives no interrupt where the vfio view reads no pin; VFs get their IDs from the PF. */
function factsOf(captured: Captured, vfio: ConfigSpace): HostFacts {
  const isVf = captured.physical.u16(0) === 0xffff;
  return {
    kernel: kernelOf(captured), pasid: null,
    about: {
      hasInterrupt: vfio.u8(0x3d) !== 0,
      ...(isVf ? { role: 'vf', ids: { vendorId: vfio.u16(0), deviceId: vfio.u16(2) } } : {}),
    },
  };
}

function profileOf(name: string): VmmProfile {
  const profile = profileNamed(name);
  if (!profile.ok) throw new Error(`no profile ${name}`);
  return profile.value;
}

const differs = (at: number, ours: number, theirs: number): readonly string[] =>
  ours === theirs ? [] : [`${at.toString(16)}:${ours.toString(16)}>${theirs.toString(16)}`];

/** `40:03>07` for each byte from 0x40 on that the vfio view has wrong. */
export function viewDifferences(captured: Captured, observed: ConfigSpace): readonly string[] {
  const { space } = vfioView(captured.physical, kernelOf(captured));
  if (space.size !== observed.size) return [`${space.size} bytes, not ${observed.size}`];
  return Array.from({ length: observed.size - 0x40 }, (_, index) => 0x40 + index)
    .flatMap((at) => differs(at, space.u8(at), observed.u8(at)));
}

export function predictGuest(captured: Captured, vfio: ConfigSpace, guest: CapturedGuest): GuestPrediction {
  return guestView(captured.physical, profileOf(guest.profile), knobsOf(guest.variant), factsOf(captured, vfio));
}

/** What vfio-pci and QEMU would say of a function that was not given away. */
export function predictRefusal(captured: Captured): GuestPrediction {
  return guestView(captured.physical, profileOf('qemu-11.1'), {}, { kernel: kernelOf(captured), pasid: null });
}

/**
 * `40:03>07` for each byte that is predicted and wrong. Below 0x40, what no rule of the VMM names is the vfio view's,
 * and a BAR the host has no resource for reads 0 through vfio and something in sysfs: those are not compared.
 */
export function guestDifferences(
  prediction: GuestPrediction, vfio: ConfigSpace, observed: ConfigSpace,
): readonly string[] {
  const { space, unpredicted, ruled } = prediction;
  if (space === null) return [`does not start: ${JSON.stringify(prediction.outcome)}`];
  if (space.size !== observed.size) return [`${space.size} bytes, not ${observed.size}`];
  const found: string[] = [];
  for (let at = 0; at < observed.size; at += 1) {
    const within = ({ offset, length }: { offset: number; length: number }): boolean =>
      at >= offset && at < offset + length;
    if (at >= 0x10 && at < 0x34 && vfio.u8(at) !== prediction.vfio.u8(at)) continue;
    const ours = at < 0x40 && !ruled.some(within) ? vfio.u8(at) : space.u8(at);
    if (!unpredicted.some(within)) found.push(...differs(at, ours, observed.u8(at)));
  }
  return found;
}

/** What a result says became of the device. A QEMU that says nothing has crashed or never answers. */
export function observedEnds(result: string): readonly GuestPrediction['outcome']['kind'][] {
  if (result.startsWith('ok')) return ['starts'];
  if (/Assertion/.test(result)) return ['aborts'];
  return /no message/.test(result) ? ['hangs', 'aborts'] : ['refused'];
}

/** What the kernel or QEMU make of a write that they look at themselves, by the letters that were seen. */
export const mediated: Readonly<Record<string, string>> = {
  H: 'PM control: the kernel itself sets the power state that was asked for',
  M: 'MSI control, the read request size of PCI Express, a VPD address: the kernel writes what it allows',
  D: 'a function-level reset of AF: the bit reads 0 again',
  HG: 'PM control: the kernel itself sets the power state that was asked for',
  Mg: 'MSI is enabled: QEMU programs the vectors of the host',
};

/** The letters a write would have: bits that reach the hardware and bits that are shown, nothing else. */
function lettersOf({ hardware, shown }: WriteMask, byte: ProbedByte, byGuest: boolean): string {
  const given = ~(byGuest ? byte.view : byte.hardware) & 0xff;
  const reached = (byte.hardware & ~hardware) | (given & hardware);
  const read = (byte.view & ~shown) | (given & shown);
  const ofHardware = reached === byte.hardware ? '-' : reached === given ? 'H' : 'M';
  const ofGuest = read === byte.view ? '-' : read === given ? 'G' : 'g';
  if (byGuest) return ofHardware + ofGuest;
  return ofHardware !== '-' ? ofHardware : ofGuest === '-' ? 'D' : 'V';
}

/**
 * What a probe found and nobody foresaw.
 * @param count takes predicted and observed letters of each byte
 */
export function probeDifferences(
  captured: Captured, { by, bytes }: CapturedProbe, count: (predicted: string, observed: string) => void,
): readonly string[] {
  const byGuest = by !== 'vfio';
  const host = { kernel: kernelOf(captured), pasid: null };
  const masks = byGuest ? guestWrites(captured.physical, profileOf('qemu-11.1'), knobsOf(by), host)
    : vfioWrites(captured.physical, kernelOf(captured));
  return bytes.flatMap((byte) => {
    const mask = masks?.[byte.offset];
    if (mask === undefined) return [`${byte.offset.toString(16)} is not there`];
    const expected = lettersOf(mask, byte, byGuest);
    const isMediated = mask.effect === 'mediated' && expected !== byte.effect && Object.hasOwn(mediated, byte.effect);
    count(isMediated ? 'mediated' : expected, byte.effect);
    if (isMediated || expected === byte.effect) return [];
    return [`${byte.offset.toString(16)}: ${expected}, and ${byte.effect} was seen`];
  });
}
