export { type Clock, systemClock } from './clock.js';
export { DamagedHistory } from './damaged-history.js';
export { AttachDevice } from './devices/attach-device.js';
export { DecideLayout } from './devices/decide-layout.js';
export { DetachDevice } from './devices/detach-device.js';
export { GetDevice, type KnownDevice } from './devices/get-device.js';
export { GetGuestConfigSpace, type GuestConfigSpace } from './devices/get-guest-config-space.js';
export { type NamedWish } from './devices/ground-of.js';
export { ObserveGuest } from './devices/observe-guest.js';
export { EVENT_STORE } from './event-store.token.js';
export { ReadEvents } from './events/read-events.js';
export { type FunctionRow } from './functions/function-index.js';
export { type Family, GetFamily } from './functions/get-family.js';
export { GetFunction } from './functions/get-function.js';
export { type FunctionPage, ListFunctions } from './functions/list-functions.js';
export { type Look, type ObservationChange, ObserveFunction } from './functions/observe-function.js';
export { RetireFunction } from './functions/retire-function.js';
export { LedgerModule, type LedgerOptions } from './ledger.module.js';
export {
  type CommandOutcome, type LedgerRefusal, type Precondition, type QueryOutcome, type Refusal,
} from './outcome.js';
export { ChangePasids, type PasidChange } from './pasids/change-pasids.js';
export { CheckPasid } from './pasids/check-pasid.js';
export { ListPasids, type PasidPage } from './pasids/list-pasids.js';
export { GetPersona } from './personas/get-persona.js';
export { PublishPersona } from './personas/publish-persona.js';
export { type RequestIdentity } from './recorder.js';
export { replay, type Replayed, type ReplayedDevice } from './replay.js';
