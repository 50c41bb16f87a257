import { InvalidArgumentError } from 'commander';
import { Moment } from '@cadastre/ledger';
import { VmId } from '@cadastre/lifecycle';

/** A TCP port, 0..65535. */
export function portOf(given: string): number {
  const port = Number(given);
  if (/^\d{1,5}$/.test(given) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
}

/** `maxPasidLog2`, 0..20. */
export function pasidLog2Of(given: string): number {
  const width = Number(given);
  if (/^\d{1,2}$/.test(given) && width <= 20) return width;
  throw new InvalidArgumentError('A PASID width is a whole number of bits from 0 to 20.');
}

/** The address of a ledger. */
export function ledgerUrlOf(given: string): string {
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given;
  throw new InvalidArgumentError('A ledger has a URL, for example http://127.0.0.1:8420.');
}

/** A byte offset into config space, 0..0xfff, in hexadecimal with 0x or in decimal. */
export function offsetOf(given: string): number {
  const offset = Number(given);
  if (/^(0x[0-9a-fA-F]{1,3}|\d{1,4})$/.test(given) && offset <= 0xfff) return offset;
  throw new InvalidArgumentError('An offset is a number from 0 to 0xfff.');
}

/** A kernel release as `uname -r` prints it. */
export function kernelReleaseOf(given: string): string {
  if (/^\d+\.\d+/.test(given)) return given;
  throw new InvalidArgumentError('A kernel release begins with major.minor, for example 7.2.');
}

export function flavourOf(given: string): 'upstream' | 'nvidia' {
  if (given === 'upstream' || given === 'nvidia') return given;
  throw new InvalidArgumentError('A flavour is upstream or nvidia.');
}

/** A moment of the log. */
export function momentOf(given: string): Moment {
  const moment = Moment.from(given);
  if (moment) return moment;
  throw new InvalidArgumentError(`A moment is ${Moment.limit}.`);
}

/** A VM. */
export function vmOf(given: string): VmId {
  const vm = VmId.from(given);
  if (vm.ok) return vm.value;
  throw new InvalidArgumentError(`A VM is ${vm.refusal.limit}.`);
}

/** An SR-IOV role. */
export function roleOf(given: string): 'pf' | 'vf' | 'none' {
  if (given === 'pf' || given === 'vf' || given === 'none') return given;
  throw new InvalidArgumentError('A role is pf, vf or none.');
}
