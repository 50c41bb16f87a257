import { type BaselineRefusal } from '@cadastre/device-layout';
import {
  type BundleRefusal, type DeviceRefusal, type FunctionRefusal, type ImportRefusal, type MigrationRefusal,
  type PersonaRefusal, type VmRefusal,
} from '@cadastre/lifecycle';
import { type Position } from '@cadastre/event-store';

/** What a caller may have said about the revision it knows (RFC 9110, "Preconditions"). */
export type Precondition =
  | { readonly kind: 'none' }
  | { readonly kind: 'if-match'; readonly revisions: readonly number[] }
  | { readonly kind: 'if-match-any' }
  | { readonly kind: 'if-none-match-any' };

/** Refusals that are about the ledger and its streams, not about hardware. */
export type LedgerRefusal =
  | { readonly kind: 'key-reused'; readonly idempotencyKey: string }
  | { readonly kind: 'key-in-flight'; readonly idempotencyKey: string }
  | { readonly kind: 'revision-stale'; readonly stream: string; readonly expected: string;
      readonly actual: number | null }
  | { readonly kind: 'precondition-required'; readonly stream: string; readonly actual: number }
  | { readonly kind: 'function-unknown'; readonly host: string; readonly address: string }
  | { readonly kind: 'device-unknown'; readonly vm: string; readonly device: string }
  /** A VF's PF counts what the VF uses of it: it has to be told, registered and in service. */
  | { readonly kind: 'physical-function-unknown'; readonly host: string; readonly address: string;
      readonly pf: string | null }
  | { readonly kind: 'vm-unknown'; readonly vm: string }
  | { readonly kind: 'migration-unknown'; readonly vm: string; readonly id: string }
  /** A migration takes all attached devices of the VM and no others. */
  | { readonly kind: 'migration-devices-differ'; readonly vm: string; readonly attached: readonly string[];
      readonly missing: readonly string[]; readonly unknown: readonly string[] }
  | { readonly kind: 'migration-too-large'; readonly vm: string; readonly devices: number; readonly most: number }
  /** No ledger would take the bundle: it stopped being written behind the most bytes one may have. */
  | { readonly kind: 'bundle-too-large'; readonly vm: string; readonly position: number; readonly mostBytes: number }
  | { readonly kind: 'import-unknown'; readonly vm: string; readonly id: string }
  | { readonly kind: 'bundle-of-another-vm'; readonly vm: string; readonly bundle: string }
  /** Every device that was attached there needs a function here, and no other does. */
  | { readonly kind: 'import-devices-differ'; readonly vm: string; readonly attached: readonly string[];
      readonly missing: readonly string[]; readonly unknown: readonly string[] }
  | { readonly kind: 'import-too-large'; readonly vm: string; readonly devices: number; readonly most: number }
  | { readonly kind: 'vmm-unknown'; readonly name: string; readonly version: string | null;
      readonly known: readonly string[] }
  | { readonly kind: 'persona-unknown'; readonly name: string; readonly version: number | null }
  /** The moment that was asked for, which the log, up to `head`, does not have. */
  | { readonly kind: 'position-unknown'; readonly asked: string; readonly head: number | null }
  /** The position is between the two events of an attach; from `since` on there is a layout. */
  | { readonly kind: 'layout-undecided'; readonly vm: string; readonly device: string; readonly since: number }
  | { readonly kind: 'not-yet'; readonly stream: string; readonly at: number; readonly since: number }
  | { readonly kind: 'no-baseline'; readonly because: BaselineRefusal }
  | { readonly kind: 'view-halted'; readonly view: string; readonly position: number; readonly reason: string }
  | { readonly kind: 'too-contended'; readonly stream: string; readonly attempts: number }
  | { readonly kind: 'outcome-unknown'; readonly reason: string };

export type Refusal = LedgerRefusal | FunctionRefusal | DeviceRefusal | PersonaRefusal | MigrationRefusal | VmRefusal
  | BundleRefusal | ImportRefusal;

/** What became of a command. `revision` and `position` are those the command's own events reached. */
export type CommandOutcome<State> =
  | { readonly kind: 'recorded'; readonly state: State; readonly revision: number; readonly position: Position;
      /** The key had been used for this very request before: nothing was written now. */
      readonly replayed: boolean }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What a query found. */
export type QueryOutcome<View> =
  | { readonly kind: 'found'; readonly view: View; readonly revision: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal };
