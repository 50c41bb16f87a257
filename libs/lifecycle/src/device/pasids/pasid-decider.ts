import { ok, type Pasid, refuse, type Result } from '@cadastre/config-space';
import { type PasidRequest } from '@cadastre/device-layout';
import { type Decider } from '../../decider.js';
import { type ForFold } from '../../for-fold.js';
import { type SharedCapability } from '../../function/function-events.js';
import { type DeviceKey, type FunctionKey } from '../../stream-key.js';
import { type PageTable, type RequestedPageTable } from './page-table.js';
import { type PasidEvent, type DetachCause, type ResetCause } from './pasid-events.js';
import { PasidTable } from './pasid-table.js';
import {
  askedPasid, type AskedPasid, type PasidCheck, pasidChecks, type PasidPlatform, type SeenFunction,
} from './pasid-usability.js';
import { type PasidVisibility } from './pasid-visibility.js';

/** What the kernel made of a request: what it says after a success, or the name of the error. */
export type KernelAnswer<Success> = ({ readonly kind: 'done' } & Success)
  | { readonly kind: 'failed'; readonly errno: string };

export type PasidCommand = { readonly key: DeviceKey } & (
  | { readonly kind: 'enable-pasid'; readonly request: PasidRequest; readonly platform: PasidPlatform;
      readonly visible: PasidVisibility;
      readonly seen: SeenFunction; readonly physicalFunction: FunctionKey | null }
  | { readonly kind: 'disable-pasid' }
  | { readonly kind: 'attach-pasid'; readonly pasid: Pasid; readonly requested: RequestedPageTable;
      readonly answer: KernelAnswer<Omit<PageTable, 'requested'>> }
  | { readonly kind: 'detach-pasid'; readonly pasid: Pasid; readonly answer: KernelAnswer<object> }
  | { readonly kind: 'reset-pasids'; readonly cause: ResetCause }
  | { readonly kind: 'enable-ats' }
  | { readonly kind: 'disable-ats' }
  | { readonly kind: 'enable-pri'; readonly physicalFunction: FunctionKey | null }
  | { readonly kind: 'disable-pri' }
);

/** PASID, ATS and PRI of one attached device. PASIDs are attached only while PASID is enabled, and within its width. */
export interface PasidState {
  readonly enabled: (AskedPasid & { readonly physicalFunction: FunctionKey | null }) | null;
  readonly attached: PasidTable;
  readonly atsEnabled: boolean;
  readonly pri: { readonly physicalFunction: FunctionKey | null } | null;
}

type EnabledName = 'pasid' | 'ats' | 'pri';

export type PasidUseRefusal =
  | { readonly kind: 'pasid-unusable'; readonly checks: readonly PasidCheck[] }
  | ({ readonly kind: 'capability-enabled'; readonly name: EnabledName } & DeviceKey)
  | ({ readonly kind: 'capability-not-enabled'; readonly name: EnabledName } & DeviceKey)
  | ({ readonly kind: 'pasids-attached'; readonly count: number } & DeviceKey)
  | { readonly kind: 'pasid-out-of-range'; readonly pasid: Pasid; readonly least: number; readonly most: number;
      readonly widthBits: number }
  | { readonly kind: 'hwpt-without-pasid'; readonly pasid: Pasid; readonly ptId: number;
      readonly hwptFlags: readonly string[] };

/** What may happen to PASID, ATS and PRI of a device between its attach and its detach. */
export const pasidDecider: Decider<
  PasidCommand, PasidState, PasidEvent, PasidUseRefusal, ForFold<PasidEvent>
> = {
  initial: { enabled: null, attached: PasidTable.empty, atsEnabled: false, pri: null },
  decide(command, state) {
    switch (command.kind) {
      case 'enable-pasid': return enable(command, state);
      case 'disable-pasid': return disable(command, state);
      case 'attach-pasid': return attach(command, state);
      case 'detach-pasid': return detach(command, state);
      case 'reset-pasids': return ok([detachAll(command.cause, state)]);
      case 'enable-ats': return enableAts(command, state);
      case 'disable-ats': return disableAts(command, state);
      case 'enable-pri': return enablePri(command, state);
      case 'disable-pri': return disablePri(command, state);
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case 'PasidEnabled': {
        const { widthBits, exec, priv, physicalFunction } = event;
        return { ...state, enabled: { widthBits, exec, priv, physicalFunction } };
      }
      case 'PasidDisabled': return { ...state, enabled: null };
      case 'PasidAttached': case 'PasidReplaced': {
        const { pasid, requested, resultingPtId, hwptFlags, faultId } = event;
        const attached = { requested, resultingPtId, hwptFlags, faultId };
        return { ...state, attached: PasidTable.with(state.attached, pasid, attached) };
      }
      case 'PasidDetached': return { ...state, attached: PasidTable.with(state.attached, event.pasid, null) };
      case 'PasidOperationFailed': return state;
      case 'PasidsDetached': return { ...state, enabled: null, attached: PasidTable.empty };
      case 'AtsEnabled': return { ...state, atsEnabled: true };
      case 'AtsDisabled': return { ...state, atsEnabled: false };
      case 'PriEnabled': return { ...state, pri: { physicalFunction: event.physicalFunction } };
      case 'PriDisabled': return { ...state, pri: null };
    }
  },
};

type Decision = Result<readonly PasidEvent[], PasidUseRefusal>;
type CommandOf<Kind extends PasidCommand['kind']> = Extract<PasidCommand, { kind: Kind }>;

function enable(command: CommandOf<'enable-pasid'>, state: PasidState): Decision {
  const { key, request, platform, visible, seen, physicalFunction } = command;
  if (state.enabled) return refuse({ kind: 'capability-enabled', name: 'pasid', ...key });
  const asked = askedPasid(request, visible.pasid);
  const checks = pasidChecks(asked, visible, seen, platform);
  if (checks.some((one) => !one.ok)) return refuse({ kind: 'pasid-unusable', checks });
  return ok([{ type: 'PasidEnabled', schema: 1, ...asked, platform, checks, physicalFunction }]);
}

function disable({ key }: CommandOf<'disable-pasid'>, { enabled, attached }: PasidState): Decision {
  if (!enabled) return refuse({ kind: 'capability-not-enabled', name: 'pasid', ...key });
  if (attached.count > 0) return refuse({ kind: 'pasids-attached', count: attached.count, ...key });
  return ok([{ type: 'PasidDisabled', schema: 1 }]);
}

/** PASID 0 is that of requests without one: iommufd keeps the attachment of the function itself under it. */
const pasidLeast = 1;

function attach({ key, pasid, requested, answer }: CommandOf<'attach-pasid'>, state: PasidState): Decision {
  if (answer.kind === 'failed') return failed('attach', pasid, requested, answer.errno);
  if (!state.enabled) return refuse({ kind: 'capability-not-enabled', name: 'pasid', ...key });
  const { widthBits } = state.enabled;
  const most = 2 ** widthBits - 1;
  if (pasid < pasidLeast || pasid > most) {
    return refuse({ kind: 'pasid-out-of-range', pasid, least: pasidLeast, most, widthBits });
  }
  const { resultingPtId, hwptFlags, faultId } = answer;
  // The one the kernel made for an IOAS has the flag, too (Linux iommufd, `IOMMU_HWPT_ALLOC_PASID`).
  if (!hwptFlags.includes('pasid')) {
    return refuse({ kind: 'hwpt-without-pasid', pasid, ptId: resultingPtId, hwptFlags });
  }
  const table = { requested, resultingPtId, hwptFlags, faultId };
  const replaced = PasidTable.get(state.attached, pasid);
  if (replaced) return ok([{ type: 'PasidReplaced', schema: 1, pasid, ...table, replaced }]);
  return ok([{ type: 'PasidAttached', schema: 1, pasid, ...table }]);
}

function detach({ pasid, answer }: CommandOf<'detach-pasid'>, state: PasidState): Decision {
  if (answer.kind === 'failed') return failed('detach', pasid, null, answer.errno);
  return ok([{ type: 'PasidDetached', schema: 1, pasid, was: PasidTable.get(state.attached, pasid) }]);
}

function failed(
  operation: 'attach' | 'detach', pasid: Pasid, requested: RequestedPageTable | null, errno: string,
): Decision {
  return ok([{ type: 'PasidOperationFailed', schema: 1, operation, pasid, requested, errno }]);
}

/** Everything at once, in one event however much there is. */
export function detachAll(cause: DetachCause, { attached: { count } }: PasidState): PasidEvent {
  return { type: 'PasidsDetached', schema: 1, cause, count };
}

const by = 'iommu-driver';

function enableAts({ key }: CommandOf<'enable-ats'>, { atsEnabled }: PasidState): Decision {
  if (atsEnabled) return refuse({ kind: 'capability-enabled', name: 'ats', ...key });
  return ok([{ type: 'AtsEnabled', schema: 1, by }]);
}

/** Page requests travel by ATS: it is there before PRI, and as long. */
function disableAts({ key }: CommandOf<'disable-ats'>, { atsEnabled, pri }: PasidState): Decision {
  if (!atsEnabled) return refuse({ kind: 'capability-not-enabled', name: 'ats', ...key });
  if (pri) return refuse({ kind: 'capability-enabled', name: 'pri', ...key });
  return ok([{ type: 'AtsDisabled', schema: 1, by }]);
}

function enablePri({ key, physicalFunction }: CommandOf<'enable-pri'>, { atsEnabled, pri }: PasidState): Decision {
  if (pri) return refuse({ kind: 'capability-enabled', name: 'pri', ...key });
  if (!atsEnabled) return refuse({ kind: 'capability-not-enabled', name: 'ats', ...key });
  return ok([{ type: 'PriEnabled', schema: 1, by, physicalFunction }]);
}

function disablePri({ key }: CommandOf<'disable-pri'>, { pri }: PasidState): Decision {
  if (!pri) return refuse({ kind: 'capability-not-enabled', name: 'pri', ...key });
  return ok([{ type: 'PriDisabled', schema: 1, by }]);
}

/** What a device uses of its physical function: counted there, so that the first and the last user are known. */
export function sharedUses(state: PasidState): readonly (readonly [SharedCapability, FunctionKey])[] {
  const uses: (readonly [SharedCapability, FunctionKey])[] = [];
  if (state.enabled?.physicalFunction) uses.push(['pasid', state.enabled.physicalFunction]);
  if (state.pri?.physicalFunction) uses.push(['pri', state.pri.physicalFunction]);
  return uses;
}
