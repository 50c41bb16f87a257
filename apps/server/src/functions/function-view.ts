import { survey, type Survey } from '@cadastre/config-space';
import { explainVerdictReason } from '@cadastre/device-layout';
import { type Family, type FunctionRow, type ObservationChange } from '@cadastre/ledger';
import {
  type ByteOwner, type DeviceKey, Observation, type RegisteredFunction, sharedCapabilities,
} from '@cadastre/lifecycle';

/** A function as the API shows it. Numbers are numbers; offsets and lengths are bytes. */
export function functionView({ key, revision, observation, claim, retired }: RegisteredFunction): object {
  if (!observation) return { ...key, revision, claim, retired, observation: null };
  const { facts } = observation;
  return {
    ...key,
    revision,
    claim: claim && claimView(claim),
    retired,
    observation: {
      revision: observation.revision,
      configSpaceDigest: facts.configSpaceDigest,
      kernel: facts.kernel,
      firmware: facts.firmware,
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

export function functionRowView({ key, claim, classCode, isRetired, ...row }: FunctionRow): object {
  return { ...key, ...row, class: classCode, claim: claim && claimView(claim), retired: isRetired };
}

/** What a new look changed: bytes, with who held them; and what that means for the guest that runs on them. */
export function observationChangeView({ ranges, running }: ObservationChange): object {
  return {
    changed: ranges.map(({ offset, length, before, after }) =>
      ({ offset, length, before: ownerView(before), after: ownerView(after) })),
    running: running && {
      vm: running.vm, device: running.device, revision: running.revision, endangered: running.dangers.length > 0,
      dangers: running.dangers, explanation: running.dangers.map(explainVerdictReason),
    },
  };
}

function ownerView({ owner, capability }: ByteOwner): object {
  if (!capability) return { owner, capability: null };
  const { space, id, offset, row: { name } } = capability;
  return { owner, capability: { space, id, name, offset } };
}

/** A family with the users of each capability its VFs share, in the order they came. */
export function familyView({ physicalFunction, virtualFunctions }: Family): object {
  const state = physicalFunction?.state ?? null;
  return {
    physicalFunction: physicalFunction && {
      ...physicalFunction.key, registered: state !== null, revision: state?.revision ?? null,
      claim: state?.claim ? claimView(state.claim) : null, retired: state ? state.retired : null,
    },
    virtualFunctions: virtualFunctions.map(functionRowView),
    shared: state && Object.fromEntries(sharedCapabilities.map((capability) => {
      const users = state.users[capability].map(claimView);
      return [capability, { count: users.length, first: users[0] ?? null, last: users.at(-1) ?? null, users }];
    })),
  };
}

function claimView({ vm, device }: DeviceKey): object {
  return { vm, device };
}
