import { type Command } from 'commander';
import { type Capture, type ConfigSpace, type SriovRole, survey, type Survey } from '@cadastre/config-space';
import { type IommuFacts, type PhysicalFunction } from '@cadastre/device-layout';
import { CommandFailed, exitCode } from '../exit-code.js';
import { pasidLog2Of, roleOf } from './options.js';
import { oneCapture } from './read-layout.js';

/** What a function is in its SR-IOV family. */
export interface FamilyOptions {
  readonly role?: SriovRole;
  readonly pf?: string;
  readonly pfFunction?: string;
}

/** Which function of a dump, and what it is in its family. */
export interface FunctionOptions extends FamilyOptions {
  readonly function?: string;
}

/** What the IOMMU of a host has. */
export interface IommuOptions {
  readonly maxPasidLog2?: number;
  readonly exec?: boolean;
  readonly priv?: boolean;
  readonly ats: boolean;
}

export function withFamily(command: Command): Command {
  return command
    .option('--role <role>', 'pf, vf or none; a VF is told by --pf or by its IDs where it is left out', roleOf)
    .option('--pf <dump>', 'the physical function of a VF')
    .option('--pf-function <address>', 'which function of that dump');
}

export function withFunction(command: Command): Command {
  return withFamily(command.option('--function <address>', 'which function of the dump'));
}

export function withIommu(command: Command, pasidLog2?: number): Command {
  return command.option('--max-pasid-log2 <bits>', 'PASID width of the IOMMU', pasidLog2Of, pasidLog2)
    .option('--exec', 'the IOMMU has execute permission for PASIDs')
    .option('--priv', 'the IOMMU has privileged mode for PASIDs')
    .option('--no-ats', 'the IOMMU does not support ATS for the function');
}

export interface DumpedFunction {
  readonly capture: Capture;
  readonly role: SriovRole;
  readonly survey: Survey;
  /** Null unless it is a VF. */
  readonly physicalFunction: PhysicalFunction | null;
}

/** The function a command is about, with its PF where it is a VF. */
export function functionIn(dump: string, options: FunctionOptions): DumpedFunction {
  const capture = oneCapture(dump, options.function);
  const { role, physicalFunction } = familyIn(capture.space, options);
  return { capture, role, survey: survey(capture.space, role), physicalFunction };
}

/** What a function is in its SR-IOV family, and its PF where that was given. */
export function familyIn(
  space: ConfigSpace, { role, pf, pfFunction }: FamilyOptions,
): Pick<DumpedFunction, 'role' | 'physicalFunction'> {
  // A VF answers all-ones for its IDs, and for nothing else.
  const looksLikeVf = space.u32(0x00) === 0xffffffff && space.u8(0x0e) !== 0xff;
  const taken = role ?? (pf !== undefined || looksLikeVf ? 'vf' : 'none');
  if (taken === 'vf') {
    return { role: taken, physicalFunction: pf === undefined ? { address: null, survey: null }
      : physicalFunctionIn(pf, pfFunction) };
  }
  if (pf === undefined) return { role: taken, physicalFunction: null };
  throw new CommandFailed(exitCode.usage, `--pf is for a VF, and --role says ${taken}`);
}

function physicalFunctionIn(dump: string, named: string | undefined): PhysicalFunction {
  const { address, space } = oneCapture(dump, named, '--pf-function');
  return { address, survey: survey(space, 'pf') };
}

/** Null where nobody told: what depends on it is then named as unchecked. */
export function iommuOf({ maxPasidLog2, exec, priv, ats }: IommuOptions): IommuFacts | null {
  if (maxPasidLog2 !== undefined) {
    return { maxPasidLog2, exec: exec === true, priv: priv === true, atsSupported: ats };
  }
  const told = [...(exec ? ['--exec'] : []), ...(priv ? ['--priv'] : []), ...(ats ? [] : ['--no-ats'])];
  if (told.length === 0) return null;
  throw new CommandFailed(exitCode.usage, `${told.join(' and ')} tell half of an IOMMU: --max-pasid-log2 is missing`);
}
