import { type HostFacts } from './host-facts.js';
import { type GuestPort, numberOf, numbersOf, type SettingRow, type SettingRows } from './knobs.js';
import { type VmmProfile } from './vmm-profile.js';

/** Names a control plane has for the device and what is around it; examples stand in for what is not given. */
export interface DeviceNames {
  readonly hostBdf?: string | undefined;
  readonly device?: string | undefined;
  /** The port or bus the guest has it on. */
  readonly bus?: string | undefined;
  readonly iommufd?: string | undefined;
}

/** One piece of configuration, ready to paste. */
export interface ConfigurationFragment {
  readonly kind: 'qemu-arguments' | 'qmp' | 'libvirt-xml' | 'cloud-hypervisor-arguments' | 'cloud-hypervisor-api'
    | 'openvmm-arguments' | 'crosvm-arguments';
  readonly text: string;
  /** What support is lost by it; null when nothing is. */
  readonly taint: string | null;
}

/** What is to be written down for one device: everything that makes the guest which was predicted. */
export interface DeviceConfiguration {
  /** All of them: what makes the VMM obey, and what its control plane sets anyway. */
  readonly settings: Readonly<Record<string, string>>;
  readonly port: GuestPort;
  /** What the vIOMMU has to offer; null where the guest is to find no PASID. */
  readonly pasid: HostFacts['pasid'];
}

/** A configuration with every name filled in, and the settings its VMM takes. */
export interface NamedConfiguration extends DeviceConfiguration {
  readonly names: Readonly<Record<'hostBdf' | 'device' | 'bus' | 'iommufd', string>>;
  readonly rows: SettingRows;
}

export type ConfigurationWriter = (given: NamedConfiguration) => readonly ConfigurationFragment[];

const busNames: { readonly [P in GuestPort]: string } = {
  'root-port': 'port0', 'root-bus': 'pcie.0', 'pci-bridge': 'bridge0', 'conventional-root': 'pci.0',
};

/** What to set, in the VMM's own words. The generic VMM and a device side have none. */
export function configurationOf(
  { configure, settings: rows }: VmmProfile, given: DeviceConfiguration, names: DeviceNames,
): readonly ConfigurationFragment[] {
  return configure?.({ ...given, rows, names: {
    hostBdf: names.hostBdf ?? '0000:01:00.0', device: names.device ?? 'hostdev0',
    bus: names.bus ?? busNames[given.port], iommufd: names.iommufd ?? 'iommufd0',
  } }) ?? [];
}

/** Settings as JSON has them: numbers as numbers, switches as true and false. `"0x300"` is no number. */
export function settingsInJson(
  settings: Readonly<Record<string, string>>, rows: SettingRows,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(settings).map(([name, given]) =>
    [name, valueInJson(given, Object.hasOwn(rows, name) ? rows[name] : undefined)]));
}

function valueInJson(given: string, row: SettingRow | undefined): unknown {
  switch (row?.kind) {
    case undefined:
    case 'text': return given;
    case 'number': return numberOf(given) ?? given;
    case 'numbers': return numbersOf(given) ?? given;
    case 'one-of': return row.values.every((one) => one === 'on' || one === 'off') ? given === 'on' : given;
  }
}

/** `,name=value` for each setting. */
export function settingsInText(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings).map(([name, given]) => `,${name}=${given}`).join('');
}
