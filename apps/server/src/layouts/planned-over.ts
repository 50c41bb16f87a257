import { type QueryBus } from '@nestjs/cqrs';
import { type Bdf, type ConfigSpace } from '@cadastre/config-space';
import { type FurtherCapture, isSameModel, modelName } from '@cadastre/device-layout';
import { type PlannedOver } from '@cadastre/ledger';
import { Observation, observedOnce, type RegisteredFunction, type SriovFacts } from '@cadastre/lifecycle';
import { parse } from '../http/parse-name.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { broughtBy, givenFunction, referenceIn } from './given-function.js';
import { type PlanLayoutDto } from './layouts.dto.js';

/** What is taken for granted of a host nobody tells of: what most servers of today have. */
const impliedIommu = { maxPasidLog2: 20, exec: false, priv: false, atsSupported: true };
const impliedIommuSays = 'the IOMMU is taken for one with PASIDs of 20 bits and with ATS; iommu tells';
/** Where functions are that no host was named for. */
const nowhere = 'brought';

export interface Subject {
  readonly over: PlannedOver;
  /** What was taken for granted, in words. */
  readonly assumed: readonly string[];
}

/** The function a plan is about. Refuses facts of the host beside a function whose host the ledger knows. */
export function plannedOver(body: PlanLayoutDto): Subject {
  const key = referenceIn(body, '');
  if (key) {
    if (body.kernel) throw EdgeProblem.field('/kernel', null, 'nothing beside function', 'the ledger knows it');
    return { over: { kind: 'registered', key }, assumed: [] };
  }
  if (body.vmm && !body.kernel) {
    throw EdgeProblem.field('/kernel', null, 'release and flavour', 'what a VMM shows depends on the kernel');
  }
  const { address, role, space, iommu, physicalFunction } = broughtBy(body);
  const { release, flavour } = body.kernel ?? { release: 'unknown', flavour: 'unknown' };
  const host = { kernel: { release, flavour }, iommu: iommu ?? impliedIommu };
  const observed = (at: Bdf, bytes: ConfigSpace, sriov: SriovFacts): RegisteredFunction =>
    observedOnce({ host: parse.host(nowhere), address: at }, Observation.of(bytes, { ...host, sriov }));
  const pf = physicalFunction?.address ?? null;
  return {
    over: {
      kind: 'brought', function: observed(address, space, { role, pf }),
      physicalFunction: physicalFunction && {
        address: pf, state: pf !== null && physicalFunction.space
          ? observed(pf, physicalFunction.space, { role: 'pf', pf: null }) : null,
      },
    },
    assumed: iommu ? [] : [impliedIommuSays],
  };
}

/** Captures a plan brings along beside those of the ledger. Refuses those of another model: they tell nothing of it. */
export async function broughtCaptures(body: PlanLayoutDto, queries: QueryBus): Promise<readonly FurtherCapture[]> {
  if (!body.evidence || body.evidence.length === 0) return [];
  const { survey: { header } } = await givenFunction(body, queries);
  return Promise.all(body.evidence.map(async (one, index) => {
    const pointer = `/evidence/${index}`;
    const { source, survey } = await givenFunction(one, queries, pointer);
    if (isSameModel(survey.header, header)) return { source, survey };
    throw EdgeProblem.field(pointer, modelName(survey.header), `captures of ${modelName(header)}`, 'another model');
  }));
}
