import { findCapability, pasidWidthBitsMax, type Survey } from '@cadastre/config-space';
import { grantPasid, pasidRegisters, type PasidRequest } from './grant-pasid.js';
import { type PhysicalFunction } from './ground.js';
import { type IommuFacts } from './iommu-facts.js';
import { type LayoutRequest, planLayout, type PlannedLayout } from './plan-layout.js';
import { explainRefusal } from './explain.js';
import { type LayoutRefusal } from './refusal.js';
import { syntheticCapability, type SyntheticName, type SyntheticRegisters } from './synthetic-capability.js';

/** A wanted capability that got no place, and why. */
export interface NotPlaced {
  readonly name: SyntheticName;
  readonly refusal: LayoutRefusal;
  readonly explanation: string;
}

/** What could be placed, and what could not. */
export interface WhatFits {
  readonly planned: PlannedLayout | null;
  readonly notPlaced: readonly NotPlaced[];
  /** Why there is no layout even of nothing: the space, or an operation, is to blame. Null where there is a layout. */
  readonly refusal: LayoutRefusal | null;
}

/**
 * Places what can be placed, and tells of the rest: for people who ask what a function has room for. A decision that
 * is recorded is all or nothing: `planLayout`.
 */
export function planWhatFits(request: LayoutRequest): WhatFits {
  const notPlaced: NotPlaced[] = [];
  let { wanted } = request;
  for (;;) {
    const result = planLayout({ ...request, wanted });
    if (result.ok) return { planned: result.value, notPlaced, refusal: null };
    const { refusal } = result;
    const explanation = explainRefusal(refusal);
    const named = refusal.kind === 'no-place' || refusal.kind === 'capability-not-for-function'
      || refusal.kind === 'capability-wanted-twice';
    const failed = named ? wanted.filter(({ name }) => name === refusal.name) : wanted;
    if (failed.length === 0) return { planned: null, notPlaced, refusal };
    for (const name of new Set(failed.map((one) => one.name))) notPlaced.push({ name, refusal, explanation });
    wanted = wanted.filter((one) => !failed.includes(one));
  }
}

/** Page requests a function may have open where nothing tells how many it can. */
const pageRequestsDefault = 32;

/**
 * What the fields of a capability are when nobody says: those of the hardware that lists it, of the physical function
 * for a VF, and of the IOMMU for PASID. An IOMMU without PASID leaves a width of 0.
 */
export function defaultRegisters(
  name: SyntheticName, survey: Survey, physicalFunction: PhysicalFunction | null, iommu: IommuFacts,
): SyntheticRegisters {
  const listed = listedFields(name, survey, physicalFunction);
  if (name === 'pasid') return pasidOf(iommu, listed);
  return listed ?? (name === 'pri' ? { outstandingPageRequestCapacity: pageRequestsDefault } : {});
}

/** What the IOMMU can carry, and where the hardware lists the capability no more than it can send. */
function pasidOf(iommu: IommuFacts, listed: SyntheticRegisters | undefined): SyntheticRegisters {
  const { executeSupported = 1, privilegedSupported = 1, maxPasidWidth = pasidWidthBitsMax } = listed ?? {};
  const asked: PasidRequest = { widthBits: null, exec: null, priv: null };
  const granted = grantPasid(asked, {
    ...iommu, exec: iommu.exec && executeSupported === 1, priv: iommu.priv && privilegedSupported === 1,
    maxPasidLog2: Math.min(iommu.maxPasidLog2, maxPasidWidth),
  });
  return granted.ok ? pasidRegisters(granted.value) : {};
}

/** The fields of the capability as the hardware has them, or for a VF its physical function. */
function listedFields(
  name: SyntheticName, survey: Survey, physicalFunction: PhysicalFunction | null,
): SyntheticRegisters | undefined {
  const capability = syntheticCapability(name);
  const sources = capability.sharesId ? [] : [survey, physicalFunction?.survey];
  for (const source of sources) {
    const own = source && findCapability(source, capability.space, capability.id);
    if (!source || !own || own.length < capability.lengthBytes) continue;
    return Object.fromEntries(Object.entries(capability.fields).map(([field, [at, lsb, width]]) =>
      [field, Math.floor(source.space.u32(own.offset + at) / 2 ** lsb) % 2 ** width]));
  }
  return undefined;
}
