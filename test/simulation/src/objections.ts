import { type Model, type ModelDevice, type ModelMigration, type ModelMove, must } from './model.js';
import { findsPasid, placesMeant, sizeOf } from './places.js';
import { type DeviceRequest, type Request, type WishName } from './request.js';
import { devices, type Look, slots, widthMax } from './world.js';

type Of<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>;
type Objections = readonly (string | false | null | undefined)[];

/** Every refusal that would be right; the ledger may give any of them, and obeys where there is none. */
export function objectionsTo(request: Request, model: Model): readonly string[] {
  return toThat(request, model).filter((one): one is string => typeof one === 'string');
}

function toThat(request: Request, model: Model): Objections {
  const stale = request.stale && 'revision-stale';
  switch (request.kind) {
    case 'observe': return [stale];
    case 'retire': return [stale, ...toRetire(request, model)];
    case 'plan': return toPlan(model, request.vm, model.targetsOf(request));
    case 'advance': return [stale, ...toAdvance(request, model)];
    case 'attach': return [stale, ...toAttach(request, model)];
    default: return [stale, ...toUse(request, model)];
  }
}

/** What an advance finds done already is an answer, whoever asks. */
export function isReached({ step }: Of<'advance'>, migration: ModelMigration | undefined): boolean {
  return migration?.state === { prepare: 'prepared', complete: 'completed', abort: 'aborted' }[step];
}

function toRetire({ slot }: Of<'retire'>, model: Model): Objections {
  const { registered, retired, claim, users } = model.function(must(slots[slot], 'slot').name);
  return [
    !registered && 'function-unknown', retired && 'function-retired', claim !== null && 'function-claimed',
    users.pasid.length + users.pri.length > 0 && 'function-shared',
  ];
}

function toAttach(request: Of<'attach'>, model: Model): Objections {
  const { device, slot, wish } = request;
  const { name } = must(slots[slot], 'slot');
  const known = model.device(must(devices[device], 'device').name);
  const { registered, retired, claim } = model.function(name);
  return [
    model.held.has(vmOf(request.device)) && 'vm-held',
    known.state === 'attached' && 'device-attached', !registered && 'function-not-registered',
    retired && 'function-retired', claim !== null && 'function-claimed',
    ...(registered ? toLayout(known, model.lookIn(name), wish, model) : []),
  ];
}

function toLayout(device: ModelDevice, look: Look, wish: WishName, model: Model): Objections {
  const meant = placesMeant(device, look, wish);
  // The hardware of a PF lists PASID, and vfio-pci shows that: elsewhere there is none.
  const isListed = look.card === 'pf' && wish === 'pasid-pinned';
  return [
    meant.size > 0 && !look.hasExtendedSpace && 'no-extended-space',
    (isListed || isUsed(model, look, meant)) && 'no-place',
  ];
}

/** What another card of the kind uses, this one may use as well. */
function isUsed(model: Model, { card }: Look, places: ReadonlyMap<string, number | null>): boolean {
  const used = [...model.usedBytes.get(card) ?? []];
  return [...places].some(([name, at]) =>
    at !== null && used.some((byte) => byte >= at && byte < at + sizeOf(name)));
}

/** Everything that takes an attached device. */
function toUse(
  request: Exclude<DeviceRequest, { kind: 'attach' }>, model: Model,
): Objections {
  const device = model.device(must(devices[request.device], 'device').name);
  if (device.state !== 'attached') return [device.state === 'unknown' ? 'device-unknown' : 'device-not-attached'];
  const { found, pasid, tables, ats, pri, slot } = device;
  switch (request.kind) {
    case 'decide': return [
      found && 'layout-seen', ...toLayout(device, model.lookIn(slot), request.wish, model),
    ];
    case 'see': return [request.shows === 'too-little' && 'guest-space-too-short'];
    case 'detach': return [model.held.has(vmOf(request.device)) && 'vm-held'];
    case 'detach-pasid': case 'reset-pasids': return [];
    case 'enable-pasid': {
      const width = request.width ?? widthMax;
      const isUsable = findsPasid(device) && width <= Math.min(widthMax, request.ssidBits) && request.ports > 0;
      return [
        pasid && 'capability-enabled', model.countingFor(slot) === undefined && 'physical-function-unknown',
        !isUsable && 'pasid-unusable',
      ];
    }
    case 'attach-pasid': return request.table === 'failed' ? [] : [
      !pasid && 'capability-not-enabled', request.table === 'hwpt-without-pasid' && 'hwpt-without-pasid',
      pasid && (request.pasid === 0 || request.pasid >= 2 ** pasid.width) && 'pasid-out-of-range',
    ];
    case 'disable-pasid': return [!pasid && 'capability-not-enabled', tables.size > 0 && 'pasids-attached'];
    case 'enable-ats': return [ats && 'capability-enabled'];
    case 'disable-ats': return [!ats && 'capability-not-enabled', pri && 'capability-enabled'];
    case 'enable-pri': return [
      pri && 'capability-enabled', !ats && 'capability-not-enabled',
      model.countingFor(slot) === undefined && 'physical-function-unknown',
    ];
    case 'disable-pri': return [!pri && 'capability-not-enabled'];
  }
}

function toPlan(model: Model, vm: string, targets: ReadonlyMap<string, string>): Objections {
  const attached = model.attachedOf(vm);
  const goals = [...targets.values()];
  const isKnown = [...model.devices].some(([name, { state }]) => name.startsWith(`${vm}/`) && state !== 'unknown');
  return [
    !isKnown && 'vm-unknown',
    (attached.length === 0 || targets.size < attached.length) && 'migration-devices-differ',
    new Set(goals).size < goals.length && 'migration-impossible',
    ...[...targets].map(([name, target]) => !canGo(model, model.device(name), target) && 'migration-impossible'),
  ];
}

/** Nobody is there, and the guest finds everything where it is: QEMU compares every byte, a document may hide some. */
export function canGo(model: Model, { places, look, vmm, isOdd }: ModelDevice, target: string): boolean {
  const { registered, retired, claim } = model.function(target);
  if (!registered || retired || claim !== null || isOdd) return false;
  const there = model.lookIn(target);
  if (there.card !== look.card) return false;
  if (vmm === 'qemu' && there !== look) return false;
  return !isUsed(model, there, places);
}

function toAdvance(request: Of<'advance'>, model: Model): Objections {
  const migration = model.migrations.at(-1 - request.back);
  if (!migration) return ['migration-unknown'];
  const { state, moves, vm, id } = migration;
  if (request.step === 'abort') return [state !== 'planned' && state !== 'prepared' && 'migration-state'];
  if (state !== (request.step === 'prepare' ? 'planned' : 'prepared')) return ['migration-state'];
  const isAnotherThere = model.attachedOf(vm).some(([name]) => !moves.some(({ device }) => device === name));
  return [
    isAnotherThere && 'migration-stale', model.held.get(vm) !== (state === 'prepared' ? id : undefined) && 'vm-held',
    ...moves.flatMap((move) => toMove(move, state === 'prepared' ? id : null, model)),
  ];
}

/** What is not as it was when the move was planned. */
function toMove(
  { device: name, source, decisions, divergence, target, looks, pfLooks }: ModelMove, keptBy: string | null,
  model: Model,
): Objections {
  const device = model.device(name);
  const there = model.function(target);
  const isThere = device.state === 'attached' && device.slot === source && device.decisions === decisions
    && device.divergence === divergence;
  const isSeenAnew = there.looks !== looks || model.pfLooks(target) !== pfLooks;
  const isFree = keptBy === null ? there.claim === null
    : there.claim?.device === name && there.claim.migration === keptBy;
  return [(!isThere || isSeenAnew || !isFree) && 'migration-stale', there.retired && 'function-retired'];
}

function vmOf(device: number): string {
  return must(devices[device], 'device').key.vm;
}
