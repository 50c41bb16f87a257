import { type Command, Option } from 'commander';
import { type ConfigSpace, type HostKernel, type SriovRole, type Survey } from '@cadastre/config-space';
import { type GuestPort, guestPorts, type PasidFacts, type ProfileTaken } from '@cadastre/vmm-profiles';
import { say } from '../terminal.js';
import { familyIn, type FamilyOptions, withFamily } from './function-options.js';
import { flavourOf, kernelReleaseOf, pasidLog2Of } from './options.js';
import { barSizesOf, settingOf, vmmOf } from './vmm-options.js';

/** The VMM, its host, and what is set: everything beside the function that changes what a guest reads. */
export interface HostOptions extends FamilyOptions {
  readonly vmm: ProfileTaken;
  readonly kernel: string;
  readonly flavour: HostKernel['flavour'];
  readonly port: GuestPort;
  readonly knob?: Readonly<Record<string, string>>;
  readonly pasidWidth?: number;
  readonly barSizes?: readonly number[];
}

export function withHost(command: Command): Command {
  const named = command.requiredOption('--vmm <name>', 'VMM and version, for example qemu-11.0 or qemu-11.0.2', vmmOf)
    .option('--kernel <release>', 'host kernel, as uname -r says it', kernelReleaseOf, '7.2')
    .option('--flavour <name>', 'tree of the host kernel: upstream or nvidia', flavourOf, 'upstream')
    .addOption(new Option('--port <kind>', 'where the guest has it').choices([...guestPorts]).default('root-port'));
  return withFamily(named)
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
  space: ConfigSpace, options: HostOptions,
): { readonly role: SriovRole; readonly family: Survey | null } {
  const { role, physicalFunction } = familyIn(space, options);
  const family = physicalFunction?.survey ?? null;
  if (role === 'vf' && family === null) say('the IDs of a VF are those of its PF: --pf <dump> tells them');
  return { role, family };
}
