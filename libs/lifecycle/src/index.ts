export { type Decider, fold } from './decider.js';
export {
  type DeviceCommand, deviceDecider, type DeviceRefusal, type DeviceState,
} from './device/device-decider.js';
export {
  type CapabilityGrant, type CapabilityRequest, type DecidedLayout, type DeviceEvent, type GrantedAsItIs,
  grantedAsTheyAre, type ObservationReference, type PersonaReference,
} from './device/device-events.js';
export { layoutDangers } from './device/layout-dangers.js';
export { rebuildGuestConfigSpace, ReplayMismatch } from './device/guest-config-space.js';
export {
  type DecodedEvent, decodeEvent, encodeEvent, type Envelope, isDeviceEvent, isFunctionEvent, isPersonaEvent,
  type LedgerEvent, UnreadableEvent,
} from './event-codec.js';
export { type ByteOwner, type ChangedRange, changedRanges } from './function/changed-ranges.js';
export {
  type FunctionCommand, functionDecider, type FunctionRefusal, type FunctionState, type RegisteredFunction,
} from './function/function-decider.js';
export {
  type FunctionEvent, type Holder, type SharedCapability, sharedCapabilities,
} from './function/function-events.js';
export { type ObservedKernel, Observation, type SriovFacts } from './function/observation.js';
export { DeviceId, HostName, namePattern, type NotAName, PersonaName, VmId } from './name.js';
export {
  type PersonaCommand, personaDecider, type PersonaEvent, personaOf, type PersonaRefusal, type PersonaState,
  type PersonaVersion, type PublishedPersona,
} from './persona/persona-decider.js';
export { type DeviceKey, deviceStream, type FunctionKey, functionStream, personaStream } from './stream-key.js';
