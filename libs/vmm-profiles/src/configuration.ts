import { type PasidFacts } from './host-facts.js';
import { type VmmProfile } from './vmm-profile.js';

/** Names a control plane has for the device and what is around it; examples stand in for what is not given. */
export interface DeviceNames {
  readonly hostBdf?: string | undefined;
  readonly device?: string | undefined;
  /** The port or bus the guest has it on. */
  readonly bus?: string | undefined;
  readonly iommufd?: string | undefined;
  /** What the vIOMMU has to offer. */
  readonly pasid?: PasidFacts | null;
}

/** One piece of configuration, ready to paste. */
export interface ConfigurationFragment {
  readonly kind: 'qemu-arguments' | 'qmp' | 'libvirt-xml' | 'cloud-hypervisor-arguments' | 'cloud-hypervisor-api'
    | 'openvmm-arguments' | 'crosvm-arguments';
  readonly text: string;
  /** What support is lost by it; null when nothing is. */
  readonly taint: string | null;
}

type Settings = Readonly<Record<string, string>>;
type Named = Readonly<Record<'hostBdf' | 'device' | 'bus' | 'iommufd', string>>;

/** What to set, in the VMM's own words. The generic VMM and a device side have none. */
export function configurationOf(
  profile: VmmProfile, settings: Settings, wantsPasid: boolean, names: DeviceNames,
): readonly ConfigurationFragment[] {
  const named = { hostBdf: names.hostBdf ?? '0000:01:00.0', device: names.device ?? 'hostdev0',
    bus: names.bus ?? 'port0', iommufd: names.iommufd ?? 'iommufd0' };
  if (profile.name.startsWith('qemu-')) return qemu(settings, wantsPasid, named, names.pasid?.widthBits ?? 16);
  if (profile.name.startsWith('cloud-hypervisor-')) return cloudHypervisor(settings, wantsPasid, named);
  if (profile.name === 'openvmm') return openvmm(settings, wantsPasid, named);
  if (profile.name === 'crosvm') {
    const text = `--vfio /sys/bus/pci/devices/${named.hostBdf},iommu=viommu`;
    return [{ kind: 'crosvm-arguments', text, taint: null }];
  }
  return [];
}

/** A comma in a value of QEMU's is written twice. */
const escaped = (value: string): string => value.replaceAll(',', ',,');
const inXml = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\'', '&apos;');

function qemu(
  settings: Settings, wantsPasid: boolean, { hostBdf, device, bus, iommufd }: Named, widthBits: number,
): readonly ConfigurationFragment[] {
  const properties: readonly (readonly [string, string])[] = [['id', device], ['host', hostBdf], ['bus', bus],
    ...(wantsPasid ? [['iommufd', iommufd] as const] : []), ...Object.entries(settings)];
  const value = ['vfio-pci', ...properties.map(([name, given]) => `${name}=${escaped(given)}`)].join(',');
  const around = wantsPasid
    ? [['-object', `iommufd,id=${escaped(iommufd)}`],
      ['-device', `arm-smmuv3,primary-bus=pcie.0,id=smmu0,accel=on,ssidsize=${widthBits}`]] : [];
  const argumentsList = [...around, ['-device', value]];
  const qmp = { execute: 'device_add', arguments: { driver: 'vfio-pci',
    ...Object.fromEntries(properties.map(([name, given]) => [name, jsonValue(given)])) } };
  const xml = argumentsList.flat().map((one) => `    <qemu:arg value='${inXml(one)}'/>`);
  const isUnstable = Object.keys(settings).some((name) => name.startsWith('x-'));
  return [
    { kind: 'qemu-arguments', text: argumentsList.map((pair) => pair.join(' ')).join(' '),
      taint: isUnstable ? 'properties that begin with x- are no stable interface of QEMU' : null },
    { kind: 'qmp', text: JSON.stringify(qmp), taint: null },
    { kind: 'libvirt-xml', taint: 'libvirt marks the domain as tainted (custom-argv) and does not manage this device',
      text: ['<domain type=\'kvm\' xmlns:qemu=\'http://libvirt.org/schemas/domain/qemu/1.0\'>', '  <qemu:commandline>',
        ...xml, '  </qemu:commandline>', '</domain>'].join('\n') },
  ];
}

/** Numbers travel as numbers in QMP: `"0x300"` is not one. */
function jsonValue(given: string): string | number {
  return /^(0x[0-9a-f]+|\d+)$/i.test(given) ? Number(given) : given;
}

function cloudHypervisor(
  settings: Settings, wantsPasid: boolean, { hostBdf, device }: Named,
): readonly ConfigurationFragment[] {
  const path = `/sys/bus/pci/devices/${hostBdf}/`;
  const extra = Object.entries(settings).map(([name, given]) => `,${name}=${given}`).join('');
  const platform = wantsPasid ? '--platform iommufd=on ' : '';
  const iommu = wantsPasid ? ',iommu=on' : '';
  const body = { id: device, path, ...(wantsPasid ? { iommu: true } : {}),
    ...Object.fromEntries(Object.entries(settings).map(([name, given]) => [name, jsonValue(given)])) };
  return [
    { kind: 'cloud-hypervisor-arguments', text: `${platform}--device path=${path},id=${device}${iommu}${extra}`,
      taint: null },
    { kind: 'cloud-hypervisor-api', text: `PUT /api/v1/vm.add-device ${JSON.stringify(body)}`, taint: null },
  ];
}

function openvmm(
  settings: Settings, wantsPasid: boolean, { hostBdf, bus, iommufd }: Named,
): readonly ConfigurationFragment[] {
  const extra = Object.entries(settings).map(([name, given]) => `,${name}=${given}`).join('');
  const port = `--pcie-root-port rc0:${bus}${wantsPasid ? ',pasid' : ''}`;
  const text = `${port} --vfio host=${hostBdf},port=${bus}${wantsPasid ? `,iommu=${iommufd}` : ''}${extra}`;
  return [{ kind: 'openvmm-arguments', text, taint: null }];
}
