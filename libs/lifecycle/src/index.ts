export {
  BundleChain, bundleBytesMax, bundleFormat, type BundleLine, type LayoutDigests,
} from './bundle/bundle-line.js';
export { isSamePersona, personaBrought } from './bundle/brought-persona.js';
export {
  importDecider, type ImportedTo, type ImportEvent, type ImportKey, type ImportRefusal, type ImportState,
  type KnownImport,
} from './bundle/import-decider.js';
export { type Bundle, type BundledDevice, type BundleRefusal, readBundle } from './bundle/read-bundle.js';
export { layoutLine, type Needed, neededBy, publishedAt } from './bundle/write-bundle.js';
export { type Decider, fold } from './decider.js';
export {
  type DecideRefusal, grantCapability, type LayoutGround, type LayoutWish, wantedBy,
} from './device/decide-layout.js';
export {
  type AttachedDevice, type DeviceCommand, deviceDecider, type DeviceRefusal, type DeviceState, familyCommands,
  type GuestSeen, notAttached,
} from './device/device-decider.js';
export {
  type CapabilityGrant, type CapabilityRequest, type DecidedLayout, type DeviceEvent, grantedAsRequested,
  grantedAsTheyAre, type ObservationReference, type PersonaReference,
} from './device/device-events.js';
export { explainDecideRefusal } from './device/explain-decide-refusal.js';
export { type HwptFlag, hwptFlags, type PageTable, type RequestedPageTable } from './device/pasids/page-table.js';
export {
  type KernelAnswer, type PasidCommand, type PasidState, type PasidUseRefusal, sharedUses,
} from './device/pasids/pasid-decider.js';
export { type PasidEvent, type ResetCause, resetCauses } from './device/pasids/pasid-events.js';
export { PasidTable } from './device/pasids/pasid-table.js';
export {
  askedPasid, explainPasidCheck, type PasidCheck, pasidChecks, type PasidPlatform, type PathPort, pathPortsMax,
  type SeenFunction,
} from './device/pasids/pasid-usability.js';
export { type GuestLook, type PasidVisibility, pasidVisibility } from './device/pasids/pasid-visibility.js';
export { readDeviceState, type StatePart, type StateText, writeDeviceState } from './device/device-state-text.js';
export { rebuildGuestConfigSpace, ReplayMismatch } from './device/guest-config-space.js';
export { type RefusedWish, whatFits, type WhatFits } from './device/what-fits.js';
export {
  type DecodedEvent, decodeEvent, decodeForFold, encodeEvent, type Envelope, eventTypes, isDeviceEvent, isFunctionEvent,
  isPasidEvent, isImportEvent, isMigrationEvent, isPersonaEvent, isVmEvent, type LedgerEvent, UnreadableEvent,
} from './event-codec.js';
export { type ForFold } from './for-fold.js';
export { type ByteOwner, type ChangedRange, changedRanges } from './function/changed-ranges.js';
export {
  type FunctionClaim, type FunctionCommand, functionDecider, type FunctionRefusal, type FunctionState, observedOnce,
  type RegisteredFunction, type RunningGuest,
} from './function/function-decider.js';
export {
  type FunctionEvent, type SharedCapability, sharedCapabilities, type WatchedGuest,
} from './function/function-events.js';
export { type ObservedKernel, Observation, type SriovFacts } from './function/observation.js';
export { type HostFactsObserved, observedAgain } from './function/observed-again.js';
export {
  type KnownMigration, type MigrationCommand, migrationDecider, type MigrationKey, type MigrationRefusal,
  type MigrationState, migrationStates, type MoveNow, type VmNow,
} from './migration/migration-decider.js';
export { type MigrationEvent, type PlannedMove } from './migration/migration-events.js';
export { decidedDocument } from './migration/guest-document.js';
export { type ImpossibleMove, type MoveAsked, type Moved, planMove } from './migration/plan-move.js';
export { DeviceId, HostName, ImportId, MigrationId, namePattern, type NotAName, PersonaName, VmId } from './name.js';
export {
  type PersonaCommand, personaDecider, type PersonaEvent, personaOf, type PersonaRefusal, type PersonaState,
  type PersonaVersion, type PublishedPersona,
} from './persona/persona-decider.js';
export { stateForm } from './state-form.js';
export {
  type DeviceKey, deviceStream, type FunctionKey, functionStream, importStream, migrationStream, personaStream,
  vmStream,
} from './stream-key.js';
export { vmDecider, type VmEvent, type VmRefusal, type VmState } from './vm/vm-decider.js';
