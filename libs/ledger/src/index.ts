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
export { GetFunction } from './functions/get-function.js';
export { ObserveFunction } from './functions/observe-function.js';
export { LedgerModule, type LedgerOptions } from './ledger.module.js';
export { ListClashes } from './lists/list-clashes.js';
export { ListDevices } from './lists/list-devices.js';
export { ListFunctions } from './lists/list-functions.js';
export { type ListOutcome } from './lists/list-outcome.js';
export { ListVms } from './lists/list-vms.js';
export {
  type CommandOutcome, type LedgerRefusal, type Precondition, type QueryOutcome, type Refusal,
} from './outcome.js';
export { GetPersona } from './personas/get-persona.js';
export { PublishPersona } from './personas/publish-persona.js';
export { type RequestIdentity } from './recorder.js';
export { replay, type Replayed, type ReplayedDevice } from './replay.js';
