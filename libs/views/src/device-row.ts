import { type Digest, type VmmDecision } from '@cadastre/device-layout';
import { type DeviceKey, type FunctionKey } from '@cadastre/lifecycle';
import { type CapabilityName } from './capability-name.js';
import { type Model } from './model.js';

/** What the VMM a layout was decided for makes of it. */
export const deviceVerdicts = ['exact', 'obeys-with-knob', 'cannot-obey'] as const satisfies
  readonly VmmDecision['verdict'][];

export const deviceStates = ['attached', 'detached'] as const;

/** One device of a VM. All but its name, state and revision is empty while it is detached. */
export interface DeviceRow {
  readonly key: DeviceKey;
  readonly revision: number;
  readonly state: (typeof deviceStates)[number];
  readonly function: FunctionKey | null;
  /** What the function was when it was attached. */
  readonly model: Model | null;
  /** What the guest finds in its lists, each once. */
  readonly capabilities: readonly CapabilityName[];
  readonly layoutDigest: Digest | null;
  /** The VMM the layout was decided for, and what it makes of it; null where none was named. */
  readonly vmm: string | null;
  readonly verdict: VmmDecision['verdict'] | null;
}
