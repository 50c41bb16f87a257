import { type Bdf, type SriovRole } from '@cadastre/config-space';
import { type Digest } from '@cadastre/device-layout';
import { type FunctionClaim, type FunctionKey } from '@cadastre/lifecycle';
import { type CapabilityName } from './capability-name.js';
import { type Model } from './model.js';

/** One function, as its newest observation and its claim tell it. */
export interface FunctionRow {
  readonly key: FunctionKey;
  readonly revision: number;
  /** The position from which on it has a row. */
  readonly since: number;
  /** As the header reads; 0xffff in a VF. */
  readonly vendorId: number;
  readonly deviceId: number;
  readonly classCode: number;
  readonly role: SriovRole;
  /** A VF's physical function, as far as it was told. */
  readonly pf: Bdf | null;
  /** The IDs the host knows it by: its own, or for a VF those its PF gives it; ffff:ffff while no PF is known. */
  readonly model: Model;
  /** What a PF's VFs are; null in a function without the SR-IOV capability. */
  readonly vfModel: Model | null;
  /** What the hardware lists, each once. */
  readonly capabilities: readonly CapabilityName[];
  /** The EUI-64 of the Device Serial Number capability as `0x...`; null where there is none that says anything. */
  readonly serialNumber: string | null;
  /** Digest of what a layout stands on: IDs, class, and both lists with their places. */
  readonly structure: Digest;
  readonly claim: FunctionClaim | null;
  /** Names what the guest on it has no more, by the newest look at it; null when it has all it was promised. */
  readonly dangers: Digest | null;
  /** From its retirement until it is observed again. */
  readonly isRetired: boolean;
}
