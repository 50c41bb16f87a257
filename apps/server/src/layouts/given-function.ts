import { type QueryBus } from '@nestjs/cqrs';
import { type Bdf, type ConfigSpace, type SriovRole, survey, type Survey } from '@cadastre/config-space';
import {
  type IommuFacts, type LayoutDocument, type PhysicalFunction, readLayoutDocument,
} from '@cadastre/device-layout';
import { GetFunction } from '@cadastre/ledger';
import { type FunctionKey, Observation, type ObservedKernel, type RegisteredFunction } from '@cadastre/lifecycle';
import { firstAddress, readConfigSpace } from '../functions/read-config-space.js';
import { parse } from '../http/parse-name.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { found } from '../problems/refused.js';
import { type CaptureDto, type GivenFunctionDto } from './layouts.dto.js';

/** A function as a question about layouts needs it, wherever it came from. */
export interface GivenFunction {
  readonly source: string;
  readonly address: Bdf;
  readonly role: SriovRole;
  readonly survey: Survey;
  readonly physicalFunction: PhysicalFunction | null;
  readonly iommu: IommuFacts | null;
  /** Of the host that has it; null for a function that is not of the ledger. */
  readonly kernel: ObservedKernel | null;
}

/** Reads a function of the ledger, or the one in the request; refuses both, and neither. */
export async function givenFunction(
  given: GivenFunctionDto, queries: QueryBus, pointer = '',
): Promise<GivenFunction> {
  const key = referenceIn(given, pointer);
  if (key) {
    const { view } = found(await queries.execute(new GetFunction(key)));
    return observed(view, await physicalFunctionOf(view, queries));
  }
  const { address, role, space, iommu, physicalFunction } = broughtBy(given, pointer);
  return {
    source: pointer === '' ? address : `${pointer} ${address}`, address, role, kernel: null, iommu,
    survey: survey(space, role),
    physicalFunction: physicalFunction && {
      address: physicalFunction.address, survey: physicalFunction.space && survey(physicalFunction.space, 'pf') },
  };
}

/** The function of the ledger a request names; undefined where it brings one along. Refuses both, and neither. */
export function referenceIn(given: GivenFunctionDto, pointer: string): FunctionKey | undefined {
  const { function: reference, configSpace } = given;
  if (!reference && configSpace) return undefined;
  if (!reference || configSpace) {
    throw EdgeProblem.field(pointer, null, 'one of function and configSpace', 'which function is meant');
  }
  const { address, role, iommu, physicalFunction } = given;
  const [told] = Object.entries({ address, role, iommu, physicalFunction }).filter(([, value]) => value != null);
  if (told) throw EdgeProblem.field(`${pointer}/${told[0]}`, null, 'nothing beside function', 'the ledger knows it');
  return {
    host: parse.host(reference.host, `${pointer}/function/host`),
    address: parse.address(reference.address, `${pointer}/function/address`),
  };
}

/** A function as a request brings it, with its PF as far as it is a VF. */
export interface BroughtFunction {
  readonly address: Bdf;
  readonly role: SriovRole;
  readonly space: ConfigSpace;
  readonly iommu: IommuFacts | null;
  readonly physicalFunction: { readonly address: Bdf | null; readonly space: ConfigSpace | null } | null;
}

export function broughtBy(given: GivenFunctionDto, pointer = ''): BroughtFunction {
  const { configSpace, physicalFunction: pf } = given;
  if (!configSpace) throw new Error('a function that is brought along has bytes');
  const role = given.role ?? 'none';
  if (pf && role !== 'vf') {
    throw EdgeProblem.field(`${pointer}/physicalFunction`, role, 'role vf', 'only a VF has a physical function');
  }
  const { maxPasidLog2, exec, priv, atsSupported } = given.iommu ?? {};
  const iommu = given.iommu ? { maxPasidLog2, exec, priv, atsSupported } as IommuFacts : null;
  const physicalFunction = pf ? captureIn(pf, `${pointer}/physicalFunction`)
    : role === 'vf' ? { address: null, space: null } : null;
  return { ...captureIn({ ...given, configSpace }, pointer), role, iommu, physicalFunction };
}

function captureIn(
  { configSpace, address: named }: CaptureDto, pointer: string,
): { readonly address: Bdf; readonly space: ConfigSpace } {
  const address = parse.address(named ?? firstAddress(configSpace), `${pointer}/address`);
  return { address, space: readConfigSpace(configSpace, address, pointer) };
}

function observed(view: RegisteredFunction, physicalFunction: PhysicalFunction | null): GivenFunction {
  const { key, observation } = view;
  if (!observation) throw EdgeProblem.field('/function', key.address, 'an observed function', 'never observed');
  const { facts } = observation;
  return {
    source: `${key.host}/${key.address}`, address: key.address, role: facts.sriov.role, physicalFunction,
    iommu: facts.iommu, kernel: facts.kernel,
    survey: survey(Observation.configSpace(facts), facts.sriov.role),
  };
}

async function physicalFunctionOf(view: RegisteredFunction, queries: QueryBus): Promise<PhysicalFunction | null> {
  const sriov = view.observation?.facts.sriov;
  if (sriov?.role !== 'vf') return null;
  if (sriov.pf === null) return { address: null, survey: null };
  const outcome = await queries.execute(new GetFunction({ host: view.key.host, address: sriov.pf }));
  const facts = outcome.kind === 'found' ? outcome.view.observation?.facts : undefined;
  return { address: sriov.pf, survey: facts ? survey(Observation.configSpace(facts), 'pf') : null };
}

/** A layout document in a request. Refuses what is none, with the place. */
export function givenLayout(given: object, pointer: string): LayoutDocument {
  const read = readLayoutDocument(given);
  if (read.ok) return read.value;
  const { refusal } = read;
  switch (refusal.kind) {
    case 'layout-version-unknown':
      throw EdgeProblem.field(`${pointer}/format`, refusal.format, 'cadastre.layout/1', 'not a known version');
    case 'layout-malformed':
      throw EdgeProblem.field(`${pointer}${refusal.pointer}`, null, refusal.problem, 'not a layout document');
    case 'layout-digest-differs':
      throw EdgeProblem.field(`${pointer}/digest`, refusal.told, refusal.actual, 'not the digest of its content');
  }
}
