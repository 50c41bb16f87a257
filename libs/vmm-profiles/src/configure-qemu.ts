import { type ConfigurationFragment, type NamedConfiguration, settingsInJson } from './configuration.js';

const unstable = 'properties that begin with x- are no stable interface of QEMU';
const unmanaged = 'libvirt marks the domain as tainted (custom-argv) and does not manage this device';

/** Arguments, QMP and libvirt's way to pass arguments on (Q24, Q25). */
export function configureQemu(
  { settings, rows, pasid, names: { hostBdf, device, bus, iommufd } }: NamedConfiguration,
): readonly ConfigurationFragment[] {
  const named: Readonly<Record<string, string>> = { id: device, host: hostBdf, bus, ...(pasid ? { iommufd } : {}) };
  const properties = Object.entries({ ...named, ...settings });
  const value = ['vfio-pci', ...properties.map(([name, given]) => `${name}=${escaped(given)}`)].join(',');
  const around = pasid
    ? [['-object', `iommufd,id=${escaped(iommufd)}`],
      ['-device', `arm-smmuv3,primary-bus=pcie.0,id=smmu0,accel=on,ssidsize=${pasid.widthBits}`]] : [];
  const argumentsList = [...around, ['-device', value]];
  const qmp = { execute: 'device_add', arguments: { driver: 'vfio-pci', ...named, ...settingsInJson(settings, rows) } };
  const xml = argumentsList.flat().map((one) => `    <qemu:arg value='${inXml(one)}'/>`);
  const taint = Object.keys(settings).some((name) => name.startsWith('x-')) ? unstable : null;
  return [
    { kind: 'qemu-arguments', text: argumentsList.map((pair) => pair.join(' ')).join(' '), taint },
    { kind: 'qmp', text: JSON.stringify(qmp), taint },
    { kind: 'libvirt-xml', taint: taint === null ? unmanaged : `${unmanaged}; ${taint}`,
      text: ['<domain type=\'kvm\' xmlns:qemu=\'http://libvirt.org/schemas/domain/qemu/1.0\'>', '  <qemu:commandline>',
        ...xml, '  </qemu:commandline>', '</domain>'].join('\n') },
  ];
}

/** A comma in a value of QEMU's is written twice. */
function escaped(value: string): string {
  return value.replaceAll(',', ',,');
}

function inXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\'', '&apos;');
}
