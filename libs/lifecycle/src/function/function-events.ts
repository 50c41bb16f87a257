import { type Bdf } from '@cadastre/config-space';
import { type Digest } from '@cadastre/device-layout';
import { type DeviceId, type HostName, type VmId } from '../name.js';
import { type Observation } from './observation.js';

/** The facts of stream `function-<host>/<address>`. Frozen: a change of shape is a new schema and an upcast. */
export type FunctionEvent =
  | { readonly type: 'FunctionRegistered'; readonly schema: 1; readonly host: HostName; readonly address: Bdf }
  | ({ readonly type: 'FunctionObserved'; readonly schema: 1 } & Observation)
  /** Somebody looked again and saw exactly the newest observation. */
  | { readonly type: 'ObservationConfirmed'; readonly schema: 1; readonly configSpaceDigest: Digest }
  | { readonly type: 'FunctionClaimed'; readonly schema: 1; readonly vm: VmId; readonly device: DeviceId }
  | { readonly type: 'FunctionReleased'; readonly schema: 1; readonly vm: VmId; readonly device: DeviceId };
