import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { basename, join } from 'node:path';
import { Bdf, ConfigSpace, type SriovRole } from '@cadastre/config-space';
import { type ObservedKernel } from '@cadastre/lifecycle';
import { messageOf, systemErrorCode } from '../system-error.js';

/** One function of this machine, as sysfs shows it. */
export interface ScannedFunction {
  readonly address: Bdf;
  readonly space: ConfigSpace;
  readonly role: SriovRole;
  readonly pf: Bdf | null;
}

export interface Scan {
  readonly kernel: ObservedKernel;
  readonly functions: readonly ScannedFunction[];
  /** Functions that could not be read, and why: never left out in silence. */
  readonly unreadable: readonly { readonly name: string; readonly problem: string }[];
}

/** Where Linux shows PCI functions. ABI/testing/sysfs-bus-pci. */
export const sysfsPciDevices = '/sys/bus/pci/devices';

/** Reads every PCI function of this machine. A machine without PCI has none. */
export function scanFunctions(directory = sysfsPciDevices): Scan {
  const functions: ScannedFunction[] = [];
  const unreadable: { name: string; problem: string }[] = [];
  for (const name of namesIn(directory)) {
    try {
      functions.push(readFunction(directory, name));
    } catch (error) {
      unreadable.push({ name, problem: messageOf(error) });
    }
  }
  return { kernel: thisKernel(), functions, unreadable };
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function readFunction(directory: string, name: string): ScannedFunction {
  const address = Bdf.from(name);
  if (!address.ok) throw new Error(`not an address: ${address.refusal.limit}`);
  const space = ConfigSpace.fromCapture(readFileSync(join(directory, name, 'config')));
  if (!space.ok) throw new Error(`${space.refusal.sizeBytes} bytes: allowed is ${space.refusal.limit}`);
  return { address: address.value, space: space.value, ...sriovOf(join(directory, name)) };
}

/** `physfn` links a VF to its PF; `sriov_totalvfs` is there for a PF. */
function sriovOf(path: string): { readonly role: SriovRole; readonly pf: Bdf | null } {
  const physfn = linkOf(join(path, 'physfn'));
  if (physfn !== undefined) {
    const pf = Bdf.from(basename(physfn));
    return { role: 'vf', pf: pf.ok ? pf.value : null };
  }
  return { role: readdirSync(path).includes('sriov_totalvfs') ? 'pf' : 'none', pf: null };
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    // EINVAL: there is something, and it is no link.
    if (['ENOENT', 'EINVAL'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** NVIDIA's kernel tree shows a physical PASID capability where others hide it (fact K14). */
function thisKernel(): ObservedKernel {
  const running = release();
  return { release: running, flavour: /nvidia/i.test(running) ? 'nvidia' : 'upstream' };
}
