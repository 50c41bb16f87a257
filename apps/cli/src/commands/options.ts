import { InvalidArgumentError } from 'commander';
import { profileNamed, type VmmProfile } from '@cadastre/vmm-profiles';

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

export function profileOf(given: string): VmmProfile {
  const found = profileNamed(given);
  if (found.ok) return found.value;
  throw new InvalidArgumentError(`Known VMMs: ${found.refusal.known.join(', ')}.`);
}

/** `NAME=VALUE`, collected over every use of the option. */
export function settingOf(given: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(given) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('A knob is NAME=VALUE.');
  return { ...before, [name]: value };
}

/** An offset, decimal or `0x...`. Whether the VMM takes it is the VMM's to say. */
export function offsetOf(given: string): number {
  if (/^(0x[0-9a-f]{1,4}|\d{1,5})$/i.test(given)) return Number(given);
  throw new InvalidArgumentError('An offset is a number such as 0x300.');
}
