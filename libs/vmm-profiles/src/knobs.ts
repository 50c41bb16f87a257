import { type ConfigPatch } from '@cadastre/config-space';

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
export type SettingRow =
  | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly rule: string }
  | { readonly kind: 'one-of'; readonly values: readonly string[]; readonly rule: string };

export interface WrongSetting {
  readonly kind: 'setting-unknown' | 'setting-out-of-range';
  readonly name: string;
  readonly given: string;
  readonly allowed: string;
}

/** The first setting that a VMM with these rows refuses; undefined when it takes them all. */
export function wrongSetting(
  rows: Readonly<Record<string, SettingRow>>, settings: Readonly<Record<string, string>>,
): WrongSetting | undefined {
  for (const [name, given] of Object.entries(settings)) {
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
    if (row === undefined) {
      return { kind: 'setting-unknown', name, given, allowed: Object.keys(rows).join(', ') || 'none' };
    }
    if (row.kind === 'one-of' && !row.values.includes(given)) {
      return { kind: 'setting-out-of-range', name, given, allowed: row.values.join(', ') };
    }
    if (row.kind !== 'number') continue;
    const value = numberOf(given);
    if (value === undefined || value < row.min || value > row.max) {
      return { kind: 'setting-out-of-range', name, given, allowed: `${row.min}..${row.max}` };
    }
  }
  return undefined;
}

/** Decimal or `0x...`; undefined for anything else. */
export function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : undefined;
}
