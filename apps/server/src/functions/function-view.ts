import { survey, type Survey } from '@cadastre/config-space';
import { explainVerdictReason } from '@cadastre/device-layout';
import { type Family } from '@cadastre/ledger';
import {
  type ByteOwner, type ChangedRange, Observation, type RegisteredFunction, sharedCapabilities, type WatchedGuest,
} from '@cadastre/lifecycle';
import { functionRowView } from '../lists/row-view.js';

/** A function as the API shows it. Numbers are numbers; offsets and lengths are bytes. */
export function functionView({ key, revision, observation, claim, running, retired }: RegisteredFunction): object {
  if (!observation) return { ...key, revision, claim, retired, observation: null };
  const { facts } = observation;
  return {
    ...key,
    revision,
    claim,
    running: running && runningView(running),
    retired,
    observation: {
      revision: observation.revision,
      configSpaceRevision: observation.configSpaceRevision,
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

/** The guest that ran on the function at its newest observation, and what that said of its layout. */
function runningView({ vm, device, revision, dangers }: WatchedGuest): object {
  const explanation = dangers.map(explainVerdictReason);
  return { vm, device, revision, endangered: dangers.length > 0, dangers, explanation };
}

/** Bytes that a new look changed, with who held them. */
export function changedView({ offset, length, before, after }: ChangedRange): object {
  return { offset, length, before: ownerView(before), after: ownerView(after) };
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
      claim: state?.claim ?? null, retired: state ? state.retired : null,
    },
    virtualFunctions: virtualFunctions.map(functionRowView),
    shared: state && Object.fromEntries(sharedCapabilities.map((capability) => {
      const users = state.users[capability].map(({ vm, device }) => ({ vm, device }));
      return [capability, { count: users.length, first: users[0] ?? null, last: users.at(-1) ?? null, users }];
    })),
  };
}
