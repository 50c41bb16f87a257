import { ok, refuse, type Result } from '@cadastre/config-space';
import { type Decider } from '../decider.js';
import { type ForFold } from '../for-fold.js';
import { type MigrationId, type VmId } from '../name.js';

/** The facts of stream `vm-<vm>`. Frozen: a change of shape is a new schema and an upcast. */
export type VmEvent =
  /** A migration of the VM is prepared: until it ends no device joins the VM or leaves it. */
  | { readonly type: 'VmHeld'; readonly schema: 1; readonly vm: VmId; readonly migration: MigrationId }
  /** The migration is completed or aborted. */
  | { readonly type: 'VmReleased'; readonly schema: 1; readonly vm: VmId; readonly migration: MigrationId };

export type VmCommand =
  | { readonly kind: 'hold-vm'; readonly vm: VmId; readonly migration: MigrationId }
  | { readonly kind: 'release-vm'; readonly vm: VmId; readonly migration: MigrationId }
  /** Records nothing: it asks whether a device may join the VM or leave it. */
  | { readonly kind: 'change-devices'; readonly vm: VmId };

export interface VmState {
  /** The migration that holds the VM. */
  readonly held: MigrationId | null;
}

export interface VmRefusal {
  readonly kind: 'vm-held';
  readonly vm: VmId;
  readonly migration: MigrationId;
}

/** What may happen to a VM as a whole: one migration at a time holds it. */
export const vmDecider: Decider<VmCommand, VmState, VmEvent, VmRefusal, ForFold<VmEvent>> = {
  initial: { held: null },
  decide(command, { held }) {
    const { vm } = command;
    switch (command.kind) {
      case 'hold-vm':
        return held ? isHeld(vm, held) : ok([{ type: 'VmHeld', schema: 1, vm, migration: command.migration }]);
      case 'release-vm':
        return held === command.migration ? ok([{ type: 'VmReleased', schema: 1, vm, migration: held }]) : ok([]);
      case 'change-devices': return held ? isHeld(vm, held) : ok([]);
    }
  },
  evolve(_state, event) {
    switch (event.type) {
      case 'VmHeld': return { held: event.migration };
      case 'VmReleased': return { held: null };
    }
  },
};

function isHeld(vm: VmId, migration: MigrationId): Result<never, VmRefusal> {
  return refuse({ kind: 'vm-held', vm, migration });
}
