import { Bdf, type ConfigSpace, findCapability, type Survey, survey } from '@cadastre/config-space';
import { canonicalJson, Digest } from '@cadastre/device-layout';
import { type FunctionKey, HostName, Observation } from '@cadastre/lifecycle';
import { CapabilityName } from './capability-name.js';
import { type FunctionRow } from './function-row.js';
import { Model } from './model.js';

/** What one observation tells of a function, as a list shows it. */
export type ObservedFunction = Pick<FunctionRow,
  'vendorId' | 'deviceId' | 'classCode' | 'role' | 'pf' | 'vfModel' | 'capabilities' | 'serialNumber' | 'structure'>;

/** @param surveyed what `surveyOf` says of it, when that is known already */
export function observedFunction(observation: Observation, surveyed = surveyOf(observation)): ObservedFunction {
  const { role, pf } = observation.sriov;
  const { space, header: { vendorId, deviceId, classCode }, capabilities } = surveyed;
  const places = capabilities.map(({ space: list, id, version, offset }) => ({ list, id, version, offset }));
  return {
    vendorId, deviceId, classCode, role, pf,
    vfModel: vfModelOf(space, surveyed),
    capabilities: CapabilityName.setOf(capabilities.map((one) => CapabilityName.of(one.space, one.id))),
    serialNumber: serialNumberOf(space, surveyed),
    structure: Digest.of(canonicalJson({ vendorId, deviceId, classCode, places })),
  };
}

/** What the observed bytes say. */
export function surveyOf(observation: Observation): Survey {
  return survey(Observation.configSpace(observation), observation.sriov.role);
}

/** Single Root I/O Virtualization, "VF Device ID": with the PF's own vendor ID it names its VFs. */
const sriov = { id: 0x0010, vfDeviceIdAt: 0x1a };

function vfModelOf(space: ConfigSpace, surveyed: Survey): Model | null {
  const capability = findCapability(surveyed, 'extended', sriov.id);
  const at = capability && capability.offset + sriov.vfDeviceIdAt;
  return at !== undefined && space.captured(at, 2) ? Model.of(surveyed.header.vendorId, space.u16(at)) : null;
}

/** Device Serial Number, "Serial Number Register (Lower DW)" at +4, upper at +8. */
const serial = { id: 0x0003, lowerAt: 4, upperAt: 8 };

/** A number of all zeros or all ones is no number: devices without one read so. */
function serialNumberOf(space: ConfigSpace, surveyed: Survey): string | null {
  const capability = findCapability(surveyed, 'extended', serial.id);
  if (!capability || !space.captured(capability.offset, 12)) return null;
  const dword = (at: number): string => space.u32(capability.offset + at).toString(16).padStart(8, '0');
  const digits = dword(serial.upperAt) + dword(serial.lowerAt);
  return /^(0+|f+)$/.test(digits) ? null : `0x${digits}`;
}

/** Reads back what `functionStream` wrote; throws on anything else. */
export function functionKeyOf(stream: string): FunctionKey {
  const [, name = '', written = ''] = /^function-(.*)\/(.*)$/.exec(stream) ?? [];
  const host = HostName.from(name);
  const address = Bdf.from(written);
  if (host.ok && address.ok) return { host: host.value, address: address.value };
  throw new Error(`${stream} is not the stream of a function`);
}
