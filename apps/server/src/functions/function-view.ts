import { survey, type Survey } from '@cadastre/config-space';
import { type DeviceKey, Observation, type RegisteredFunction } from '@cadastre/lifecycle';

/** A function as the API shows it. Numbers are numbers; offsets and lengths are bytes. */
export function functionView({ key, revision, observation, claim }: RegisteredFunction): object {
  if (!observation) return { ...key, revision, claim, observation: null };
  const { facts } = observation;
  return {
    ...key,
    revision,
    claim: claim && claimView(claim),
    observation: {
      revision: observation.revision,
      configSpaceDigest: facts.configSpaceDigest,
      kernel: facts.kernel,
      iommu: facts.iommu,
      sriov: facts.sriov,
    },
    survey: surveyView(survey(Observation.configSpace(facts), facts.sriov.role)),
  };
}

/** What a survey says, in brief. */
export function surveyView({ space, header, capabilities, gaps, findings }: Survey): object {
  return {
    size: space.size,
    vendorId: header.vendorId,
    deviceId: header.deviceId,
    class: header.classCode,
    capabilities: capabilities.map(({ space: list, id, version, offset, length, row }) =>
      ({ space: list, id, version, offset, length, name: row.name })),
    gaps: gaps.map(({ offset, length, zero }) => ({ offset, length, zero })),
    findings,
  };
}

function claimView({ vm, device }: DeviceKey): object {
  return { vm, device };
}
