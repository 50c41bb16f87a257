export { canonicalJson } from './canonical-json.js';
export { Digest } from './digest.js';
export { explainAlternative, explainCaution, explainPlacement, explainReason, explainRefusal } from './explain.js';
export { grantPasid, type PasidGrant, type PasidRefusal, pasidRegisters, type PasidRequest } from './grant-pasid.js';
export { type PhysicalFunction, type PlacementPolicy } from './ground.js';
export { type IommuFacts } from './iommu-facts.js';
export { type Layout, layoutDigest, type ListEntry, type Placement, type PlacementReason } from './layout.js';
export {
  planLayout, type LayoutRequest, type PlannedLayout, plannerVersion, type WantedCapability,
} from './plan-layout.js';
export {
  type Because, type BrokenList, type Caution, type ForbiddenRange, type LayoutRefusal, type RefusedAlternative,
  strategies, type Strategy,
} from './refusal.js';
export { syntheticCapabilities, type SyntheticName, type SyntheticRegisters } from './synthetic-capability.js';
