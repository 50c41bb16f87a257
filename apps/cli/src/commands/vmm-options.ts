import { InvalidArgumentError } from 'commander';
import { profileFor, type ProfileTaken, type VmmProfile, vmmProfiles } from '@cadastre/vmm-profiles';
import { say } from '../terminal.js';

/** A VMM and its version, for example `qemu-11.0.2`; what is guessed about it is in the answer. */
export function vmmOf(given: string): ProfileTaken {
  const taken = profileFor({ name: given, version: null });
  if (taken.ok) return taken.value;
  const known = vmmProfiles.map(({ name }) => name).join(', ');
  throw new InvalidArgumentError(`Known VMMs: ${known}; other versions by their number, as qemu-11.0.2.`);
}

/** The profile of a VMM; what is guessed about it is said on stderr. */
export function profileOf(given: string): VmmProfile {
  const { profile, assumed } = vmmOf(given);
  if (assumed !== null) say(`${given}: ${assumed}`);
  return profile;
}

/** `NAME=VALUE`, collected over every use of the option. */
export function settingOf(given: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(given) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('A knob is NAME=VALUE.');
  return { ...before, [name]: value };
}

const units: Readonly<Record<string, number>> = { '': 1, 'k': 2 ** 10, 'm': 2 ** 20, 'g': 2 ** 30 };

/** Sizes of BAR 0..5: `16K,0,1M`, bytes where no unit is named. */
export function barSizesOf(given: string): readonly number[] {
  const sizes = given.split(',').map((one) => {
    const [, digits, unit = ''] = /^(0x[0-9a-f]{1,12}|\d{1,15})([kmg]?)$/i.exec(one) ?? [];
    return Number(digits) * (units[unit.toLowerCase()] ?? NaN);
  });
  const isSize = (bytes: number): boolean => bytes === 0 || (bytes >= 16 && Number.isInteger(Math.log2(bytes)));
  if (sizes.length <= 6 && sizes.every(isSize)) return sizes;
  throw new InvalidArgumentError('BAR sizes are up to six powers of two, 0 for none, for example 16K,0,1M.');
}
