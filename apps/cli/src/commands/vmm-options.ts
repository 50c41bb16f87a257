import { InvalidArgumentError } from 'commander';
import { profileNamed, type VmmProfile } from '@cadastre/vmm-profiles';

/** A VMM and its version, for example `qemu-11.0`. */
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
