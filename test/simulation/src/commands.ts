import { ConfigSpace, type Pasid } from '@cadastre/config-space';
import { Digest, type PlacementPolicy, type VmmRequest } from '@cadastre/device-layout';
import {
  AdvanceMigration, AttachDevice, ChangePasids, type CommandOutcome, DecideLayout, DetachDevice,
  GetGuestConfigSpace, type NamedWish, ObserveFunction, ObserveGuest, type PasidChange, PlanMigration,
  type Precondition, type RequestIdentity, RetireFunction,
} from '@cadastre/ledger';
import { HostName, MigrationId, VmId } from '@cadastre/lifecycle';
import { type Command } from '@nestjs/cqrs';
import { type Model, must, slotNamed } from './model.js';
import { pinnedAt, vmmIn } from './places.js';
import { type DeviceRequest, type Request, type VmmName, type WishName } from './request.js';
import { type RunningLedger } from './running-ledger.js';
import { devices, observationOf, slots, sure } from './world.js';

export type AnyCommand = Command<CommandOutcome<unknown>>;

/** The name under which a key remembers a request. */
export function identityOf(idempotencyKey: string, request: Request): RequestIdentity {
  return { idempotencyKey, requestDigest: Digest.of(JSON.stringify(request)) };
}

/** A request as the command that a client's becomes. It may be executed again: it says the same. */
export async function commandFor(
  request: Request, identity: RequestIdentity, model: Model, ledger: RunningLedger,
): Promise<AnyCommand> {
  const stale: Precondition = { kind: 'if-match', revisions: [9_999] };
  const match: Precondition = request.stale ? stale : { kind: 'if-match-any' };
  const atWill: Precondition = request.stale ? stale : { kind: 'none' };
  switch (request.kind) {
    case 'observe': {
      const slot = must(slots[request.slot], 'slot');
      return new ObserveFunction(identity, slot.key, observationOf(slot, request.look, request.facts), atWill);
    }
    case 'retire': return new RetireFunction(identity, must(slots[request.slot], 'slot').key, 'worn out', match);
    case 'plan': {
      const targets = [...model.targetsOf(request)].map(([name, target]) =>
        [name.split('/')[1] ?? '', slotNamed(target).key.address] as const);
      return new PlanMigration(identity, sure(VmId.from(request.vm)), sure(HostName.from(request.host)), null,
        new Map(targets));
    }
    case 'advance': {
      const { vm, id } = model.migrations.at(-1 - request.back) ?? { vm: 'vm-1', id: 'm-0' };
      const key = { vm: sure(VmId.from(vm)), id: sure(MigrationId.from(id)) };
      return new AdvanceMigration(identity, key, request.step, null, match);
    }
    default: return deviceCommand(request, identity, model, ledger, match);
  }
}

async function deviceCommand(
  request: DeviceRequest, identity: RequestIdentity,
  model: Model, ledger: RunningLedger, match: Precondition,
): Promise<AnyCommand> {
  const { name, key } = must(devices[request.device], 'device');
  switch (request.kind) {
    case 'attach': {
      const first: Precondition = request.stale ? match : { kind: 'none' };
      const slot = must(slots[request.slot], 'slot');
      return new AttachDevice(identity, key, slot.key, wishOf(request, slot.name), null,
        model.device(name).state === 'unknown' ? first : match);
    }
    case 'decide': return new DecideLayout(identity, key, wishOf(request, model.device(name).slot), match);
    case 'see': return new ObserveGuest(identity, key, await shown(request, model, ledger), match);
    case 'detach': return new DetachDevice(identity, key, null, match);
    default: return new ChangePasids(identity, key, pasidChange(request), match);
  }
}

const anywhere: PlacementPolicy = {
  strategies: ['physical', 'gap'], pinned: {}, allowedRanges: [], forbiddenRanges: [],
};
const pinned: PlacementPolicy = { ...anywhere, pinned: { pasid: pinnedAt }, pinnedOrNowhere: true };
const pasid = { name: 'pasid', widthBits: null, exec: null, priv: null } as const;
const requested = {
  'nothing': [], 'pasid': [pasid], 'pasid-pinned': [pasid], 'pasid-ats-pri': [pasid, { name: 'ats' }, { name: 'pri' }],
} as const;
const vmmNamed: Readonly<Record<VmmName, VmmRequest | null>> = {
  none: null, generic: { name: 'generic', version: null, port: 'root-port', settings: {} },
  qemu: { name: 'qemu', version: '11.0', port: 'root-port', settings: {} },
};

function wishOf({ wish, vmm }: { readonly wish: WishName; readonly vmm: VmmName }, slot: string): NamedWish {
  return {
    requested: requested[wish], policy: wish === 'pasid-pinned' ? pinned : anywhere, operations: [], told: [],
    persona: null, vmm: vmmNamed[vmmIn(slot, vmm)], keepPlaces: true,
  };
}

/** What the guest reads, or a space that is not what it should read. */
async function shown(
  { device, shows }: Extract<Request, { kind: 'see' }>, model: Model, ledger: RunningLedger,
): Promise<ConfigSpace> {
  const { name, key } = must(devices[device], 'device');
  const { look } = model.device(name);
  if (shows === 'too-little') return sure(ConfigSpace.fromCapture(look.space.toBytes().subarray(0, 64)));
  const found = await ledger.ask(new GetGuestConfigSpace(key));
  const predicted = found.kind === 'found' ? found.view.layout.vmm?.predicted : null;
  const whole = predicted ? look.space.patched(predicted.patches).toBytes().subarray(0, predicted.sizeBytes)
    : (found.kind === 'found' ? found.view.space : look.space).toBytes();
  const bytes = Uint8Array.from(whole);
  if (shows === 'something-else') bytes[classCodeAt] = 0xee;
  return sure(ConfigSpace.fromCapture(bytes));
}

/** No VMM writes the base class: it is as good as any other byte to be wrong. */
const classCodeAt = 0x0b;

function pasidChange(
  request: Exclude<DeviceRequest, { kind: 'attach' | 'decide' | 'see' | 'detach' }>,
): PasidChange {
  switch (request.kind) {
    case 'enable-pasid': return {
      kind: 'enable-pasid', request: { widthBits: request.width, exec: null, priv: null },
      platform: {
        viommuSsidBits: request.ssidBits,
        ports: slots.slice(0, request.ports).map(({ key }) => ({ address: key.address, endEndTlpPrefix: true })),
      },
    };
    case 'attach-pasid': {
      const { table, ptId } = request;
      return {
        kind: 'attach-pasid', pasid: request.pasid as Pasid,
        requested: { kind: table.startsWith('hwpt') ? 'hwpt' : 'ioas', ptId },
        answer: table === 'failed' ? { kind: 'failed', errno: 'EOPNOTSUPP' } : {
          kind: 'done', resultingPtId: ptId, faultId: null, hwptFlags: table === 'hwpt-without-pasid' ? [] : ['pasid'],
        },
      };
    }
    case 'detach-pasid': return {
      kind: 'detach-pasid', pasid: request.pasid as Pasid,
      answer: request.failed ? { kind: 'failed', errno: 'EBUSY' } : { kind: 'done' },
    };
    case 'reset-pasids': return { kind: 'reset-pasids', cause: request.cause };
    default: return { kind: request.kind };
  }
}
