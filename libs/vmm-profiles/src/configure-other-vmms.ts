import {
  type ConfigurationFragment, type NamedConfiguration, settingsInJson, settingsInText,
} from './configuration.js';

/** C14, C15: iommufd is the platform's; of a device, what its own settings say wins. */
export function configureCloudHypervisor(
  { settings, rows, pasid, names: { hostBdf, device } }: NamedConfiguration,
): readonly ConfigurationFragment[] {
  const path = `/sys/bus/pci/devices/${hostBdf}/`;
  const all = { ...(pasid ? { iommu: 'on' } : {}), ...settings };
  const body = { id: device, path, ...settingsInJson(all, rows) };
  return [
    { kind: 'cloud-hypervisor-arguments', taint: null,
      text: `${pasid ? '--platform iommufd=on ' : ''}--device path=${path},id=${device}${settingsInText(all)}` },
    { kind: 'cloud-hypervisor-api', text: `PUT /api/v1/vm.add-device ${JSON.stringify(body)}`, taint: null },
  ];
}

/** O6. */
export function configureOpenvmm(
  { settings, pasid, names: { hostBdf, bus, iommufd } }: NamedConfiguration,
): readonly ConfigurationFragment[] {
  const port = `--pcie-root-port rc0:${bus}${pasid ? ',pasid' : ''}`;
  const iommu = pasid ? `,iommu=${iommufd}` : '';
  return [{ kind: 'openvmm-arguments', taint: null,
    text: `${port} --vfio host=${hostBdf},port=${bus}${iommu}${settingsInText(settings)}` }];
}

/** X5. */
export function configureCrosvm(
  { settings, names: { hostBdf } }: NamedConfiguration,
): readonly ConfigurationFragment[] {
  return [{ kind: 'crosvm-arguments', taint: null,
    text: `--vfio /sys/bus/pci/devices/${hostBdf}${settingsInText({ iommu: 'viommu', ...settings })}` }];
}
