import { type ConfigPatch } from '@cadastre/config-space';
import { type RuleName } from './rules.js';

/** Where the VM's configuration puts the function: it changes the PCI Express capability (Q5) and what is readable. */
export type GuestPort = 'root-port' | 'root-bus' | 'pci-bridge' | 'conventional-root';
export const guestPorts: readonly GuestPort[] = ['root-port', 'root-bus', 'pci-bridge', 'conventional-root'];

/** What a control plane sets for one device. */
export interface Knobs {
  /** `root-port` when not given. */
  readonly port?: GuestPort;
  /** The guest's IOMMU on that bus offers PASID (Q14, O7). True when not given. */
  readonly viommuPasid?: boolean;
  /** The VMM's own settings, as it spells them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** For a VMM that obeys a whole layout document: its patches over the physical space. */
  readonly patches?: readonly ConfigPatch[];
}

/** The values one setting takes, and the rule that says what it does. */
export type SettingRow = { readonly rule: RuleName } & (
  | { readonly kind: 'number'; readonly min: number; readonly max: number }
  /** `[0,2]`, or one number alone. */
  | { readonly kind: 'numbers'; readonly min: number; readonly max: number }
  | { readonly kind: 'one-of'; readonly values: readonly string[] }
  /** A form of its own: a regular expression for the whole value, and what it says in words. */
  | { readonly kind: 'text'; readonly pattern: string; readonly says: string });
export type SettingRows = Readonly<Record<string, SettingRow>>;

export interface WrongSetting {
  readonly kind: 'setting-unknown' | 'setting-out-of-range';
  readonly name: string;
  readonly given: string;
  readonly allowed: string;
}

/** The first setting that a VMM with these rows refuses; undefined when it takes them all. */
export function wrongSetting(
  rows: SettingRows, settings: Readonly<Record<string, string>>,
): WrongSetting | undefined {
  for (const [name, given] of Object.entries(settings)) {
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
    if (row === undefined) {
      return { kind: 'setting-unknown', name, given, allowed: Object.keys(rows).join(', ') || 'none' };
    }
    if (!takes(row, given)) return { kind: 'setting-out-of-range', name, given, allowed: allowedValues(row) };
  }
  return undefined;
}

function takes(row: SettingRow, given: string): boolean {
  switch (row.kind) {
    case 'one-of': return row.values.includes(given);
    case 'text': return new RegExp(`^(?:${row.pattern})$`, 'i').test(given);
    case 'number':
    case 'numbers': {
      const numbers = row.kind === 'numbers' ? numbersOf(given) : [numberOf(given)];
      return numbers?.every((one) => one !== undefined && one >= row.min && one <= row.max) ?? false;
    }
  }
}

/** What a setting takes, in words. */
export function allowedValues(row: SettingRow): string {
  switch (row.kind) {
    case 'one-of': return row.values.join(', ');
    case 'text': return row.says;
    case 'number': return `${row.min}..${row.max}`;
    case 'numbers': return `a list of ${row.min}..${row.max}, as [${row.min},${row.max}]`;
  }
}

/** Decimal or `0x...`; undefined for anything else. */
export function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : undefined;
}

/** `[0,2]` or `2`; undefined for anything else. */
export function numbersOf(text: string): readonly number[] | undefined {
  const [, inside = text] = /^\[(.*)\]$/.exec(text) ?? [];
  const numbers = inside.split(',').map((one) => numberOf(one));
  return numbers.every((one) => one !== undefined) ? numbers : undefined;
}
