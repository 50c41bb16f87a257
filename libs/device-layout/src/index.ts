export { afterLoad } from './after-load.js';
export {
  baseline, type Baseline, type BaselineOptions, type BaselineRefusal, type Blamed, type Dropped,
  explainBaselineRefusal, fleetFunctionsMax, type Narrowed, type Relocated, type Replaced,
} from './baseline.js';
export { canonicalJson } from './canonical-json.js';
export { compareLayouts, type LayoutDifference } from './compare-layouts.js';
export { Digest } from './digest.js';
export { explainAlternative, explainCaution, explainPlacement, explainReason, explainRefusal } from './explain.js';
export {
  type CaptureNamed, type CaptureTold, Evidence, type FurtherCapture, furtherCapturesMax, type SeenInUse, type UsedRun,
} from './evidence.js';
export { explainVerdict, explainVerdictReason } from './explain-verdict.js';
export { type ByteExplanation, type EventNamed, explainByte, type LayoutEvents } from './explain-byte.js';
export { type FleetFunction } from './fleet.js';
export { type DvsecRoomRow, knownDvsecRooms, roomsTold } from './dvsec-room.js';
export { type FunctionMatch } from './function-match.js';
export { grantPasid, type PasidGrant, type PasidRefusal, pasidRegisters, type PasidRequest } from './grant-pasid.js';
export {
  type PersonaPlaces, type PhysicalFunction, type PlacementPolicy, type ToldBy, type ToldRoom,
} from './ground.js';
export { type GuestDifference, type GuestDifferences, guestDifferences } from './guest-differences.js';
export { type IommuFacts } from './iommu-facts.js';
export { documentAlone, type KnobsAnswer, knobsFor, type LayoutHost } from './knobs-for.js';
export { knownQuirks } from './known-quirks.js';
export {
  type Layout, layoutDigest, type LayoutEvidence, type ListEntry, type Placement, type PlacementReason,
} from './layout.js';
export {
  type CompareClass, documentDigest, identityOf, type LayoutCapability, type LayoutDocument, type LayoutDocumentRefusal,
  layoutDocumentSchema, layoutFormat, type LayoutIdentity, type LayoutRange, type Provenance, readLayoutDocument,
  type WriteBehaviour, writeLayoutDocument,
} from './layout-document.js';
export {
  type IdentityField, identityFieldNames, type LayoutOperation, type OperationObstacle,
} from './layout-operation.js';
export { capabilityNamed, layoutDocument } from './make-layout-document.js';
export { migrationVerdict } from './migration-verdict.js';
export {
  fit, type Fit, type Persona, personaName, personaPlaces, planWorn, type Wearer, type Worn,
} from './persona.js';
export { type LayoutPlacements, placementsOf } from './placements-of.js';
export {
  planLayout, type LayoutRequest, type PlannedLayout, plannerVersion, type WantedCapability,
} from './plan-layout.js';
export {
  type Because, type BrokenList, type Caution, defaultStrategies, type ForbiddenRange, type LayoutRefusal,
  type RefusedAlternative, strategies, type Strategy,
} from './refusal.js';
export { type PlanPolicy, readPlanPolicy, strategiesFor } from './plan-policy.js';
export { defaultRegisters, type NotPlaced, planWhatFits, type WhatFits } from './plan-what-fits.js';
export { registersNamed, type RegistersRefusal, requestedRegisters } from './requested-registers.js';
export { isWeaker, type PromisedField, promisedFields, readPromise } from './promised-field.js';
export { isSameModel, modelName } from './same-model.js';
export { type Malformed } from './shape.js';
export { type QuirkRow, quirksOf } from './quirk-row.js';
export {
  isSyntheticName, registersIn, syntheticCapabilities, syntheticCapability, type SyntheticName, type SyntheticRegisters,
} from './synthetic-capability.js';
export { type Unmet } from './unmet.js';
export { unplaced } from './unplaced.js';
export { headerAsBound, identityAsBound, vfIdsOf, vfioFunctionOf } from './vfio-function.js';
export {
  decideVmm, neededKnobs, predictedAgain, type PredictedGuest, type VmmDecision, type VmmRequest,
} from './vmm-decision.js';
export {
  type AllowedDifference, type Destination, type NeededKnob, type Relocation, type Verdict, type VerdictReason,
} from './verdict.js';
