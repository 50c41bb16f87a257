import { type Command, Option } from 'commander';
import { type ConfigSpace, type HostKernel, type SriovRole, survey, type Survey } from '@cadastre/config-space';
import { type GuestPort, guestPorts, type PasidFacts, type ProfileTaken } from '@cadastre/vmm-profiles';
import { say } from '../terminal.js';
import { flavourOf, kernelReleaseOf, pasidLog2Of, roleOf } from './options.js';
import { oneCapture } from './read-layout.js';
import { barSizesOf, settingOf, vmmOf } from './vmm-options.js';

/** The VMM, its host, and what is set: everything beside the function that changes what a guest reads. */
export interface HostOptions {
  readonly vmm: ProfileTaken;
  readonly kernel: string;
  readonly flavour: HostKernel['flavour'];
  readonly port: GuestPort;
  readonly role?: SriovRole;
  readonly pf?: string;
  readonly knob?: Readonly<Record<string, string>>;
  readonly pasidWidth?: number;
  readonly barSizes?: readonly number[];
}

export function withHost(command: Command): Command {
  return command.requiredOption('--vmm <name>', 'VMM and version, for example qemu-11.0 or qemu-11.0.2', vmmOf)
    .option('--kernel <release>', 'host kernel, as uname -r says it', kernelReleaseOf, '7.2')
    .option('--flavour <name>', 'tree of the host kernel: upstream or nvidia', flavourOf, 'upstream')
    .addOption(new Option('--port <kind>', 'where the guest has it').choices([...guestPorts]).default('root-port'))
    .option('--role <role>', 'pf, vf or none; a VF is told by --pf or by its IDs where it is left out', roleOf)
    .option('--pf <dump>', 'the physical function of a VF, which tells its IDs')
    .option('--knob <name=value>', 'a setting of the VMM that is set anyway; may be repeated', settingOf)
    .option('--pasid-width <bits>', 'PASID bits the host IOMMU reports through iommufd', pasidLog2Of)
    .option('--bar-sizes <bytes>', 'sizes of BAR 0..5, as 16K,0,1M; 0 where there is none', barSizesOf);
}

/** What is guessed about the VMM, in words. */
export function assumedOf({ vmm: { assumed } }: HostOptions): readonly string[] {
  return assumed === null ? [] : [assumed];
}

export function kernelOf({ kernel, flavour }: HostOptions): HostKernel {
  return { release: kernel, flavour };
}

/** Execute and privileged are what an IOMMU of any size reports today; the width is what differs. */
export function iommuPasidOf({ pasidWidth }: HostOptions): PasidFacts | null {
  if (pasidWidth === undefined || pasidWidth === 0) return null;
  return { widthBits: pasidWidth, execute: true, privileged: true };
}

/** What a function is in its SR-IOV family, and the survey of its PF where that was given. */
export function familyOf(
  space: ConfigSpace, { role, pf }: HostOptions,
): { readonly role: SriovRole; readonly family: Survey | null } {
  const family = pf === undefined ? null : survey(oneCapture(pf).space, 'pf');
  // A VF answers all-ones for its IDs, and for nothing else.
  const looksLikeVf = space.u32(0x00) === 0xffffffff && space.u8(0x0e) !== 0xff;
  const taken = role ?? (family !== null || looksLikeVf ? 'vf' : 'none');
  if (taken === 'vf' && family === null) say('the IDs of a VF are those of its PF: --pf <dump> tells them');
  return { role: taken, family };
}
