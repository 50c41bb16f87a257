import { type KnownMigration } from '@cadastre/lifecycle';
import { isReached } from './objections.js';
import { type Model, type ModelDevice, must } from './model.js';
import { keptPlaces, placesMeant, sizeOf, vmmIn } from './places.js';
import { type DeviceRequest, type Request, type VmmName, type WishName } from './request.js';
import { devices, type Look, lookAt, slots, widthMax } from './world.js';

/** What only the ledger can tell of a layout: which places it chose where it was free to choose. */
export interface ToldLayout {
  readonly layoutDigest: string;
  readonly placements: readonly { readonly name: string; readonly offset: number }[];
}

export type Told = { readonly layout: ToldLayout | null; readonly migration: KnownMigration | null };

/** Notes what a request that was accepted came to. */
export function happen(request: Request, model: Model, told: Told): void {
  switch (request.kind) {
    case 'observe': return observe(model, must(slots[request.slot], 'slot').name, request);
    case 'retire': {
      model.function(must(slots[request.slot], 'slot').name).retired = true;
      return;
    }
    case 'plan': return plan(model, must(told.migration ?? undefined, 'plan'));
    case 'advance': return advance(model, request);
    default: return change(request, model, told.layout);
  }
}

/** What a look at a slot comes to, in the words of the ledger. */
export function lookMeant({ slot, look, facts }: Extract<Request, { kind: 'observe' }>, model: Model): string {
  const there = must(slots[slot], 'slot');
  const known = model.function(there.name);
  if (!known.registered || known.retired) return 'registered';
  if (lookAt(there, look) !== model.lookIn(there.name)) return 'observed';
  const isAsBefore = known.endangered === isEndangered(model, there.name, model.lookIn(there.name));
  return facts === known.facts && isAsBefore ? 'confirmed' : 'host-facts-observed';
}

/** Whether a guest in a slot has less than it was promised, by a look: another card, or a byte under a place. */
function isEndangered(model: Model, slot: string, now: Look): boolean {
  const { claim } = model.function(slot);
  const device = claim && model.device(claim.device);
  if (!device || device.state !== 'attached' || device.slot !== slot || device.look === now) return false;
  const { card, oddByteAt } = now;
  return card !== device.look.card || (oddByteAt !== null
    && [...device.places].some(([name, at]) => at <= oddByteAt && oddByteAt < at + sizeOf(name)));
}

function observe(model: Model, slot: string, request: Extract<Request, { kind: 'observe' }>): void {
  const seen = model.function(slot);
  if (lookMeant(request, model) !== 'confirmed') {
    seen.looks += 1;
    seen.endangered = isEndangered(model, slot, lookAt(must(slots[request.slot], 'slot'), request.look));
  }
  seen.look = request.look;
  seen.facts = request.facts;
  const { card, oddByteAt } = model.lookIn(slot);
  const used = model.usedBytes.get(card) ?? new Set();
  model.usedBytes.set(card, oddByteAt === null ? used : used.add(oddByteAt));
  // A function that was retired comes back as a new one.
  Object.assign(seen, { registered: true, retired: false });
}

function change(
  request: DeviceRequest, model: Model, layout: ToldLayout | null,
): void {
  const { name } = must(devices[request.device], 'device');
  const device = model.device(name);
  switch (request.kind) {
    case 'attach': {
      const slot = must(slots[request.slot], 'slot').name;
      model.function(slot).claim = { device: name, migration: null };
      Object.assign(device, { state: 'attached', slot, guest: 'unseen', isOdd: false, divergence: null, found: false });
      return decide(device, model, request, layout);
    }
    case 'decide': return decide(device, model, request, layout);
    case 'see': {
      // QEMU makes no PRI: its guest misses what the layout has.
      const isWhole = request.shows === 'the-layout' && !(device.vmm === 'qemu' && device.places.has('pri'));
      model.guestLooks += 1;
      device.divergence = isWhole ? null : model.guestLooks;
      device.guest = isWhole ? 'confirmed' : 'diverged';
      device.isOdd = request.shows === 'something-else';
      device.found = true;
      return;
    }
    case 'detach': {
      model.leave(name);
      const places = new Map([...device.reserved, ...device.places]);
      Object.assign(device, { state: 'detached', before: { card: device.look.card, places }, guest: 'unseen' });
      return;
    }
    case 'enable-pasid': {
      const pf = model.countingFor(device.slot) ?? null;
      device.pasid = { width: request.width ?? widthMax, pf };
      device.found = true;
      return model.use('pasid', pf, name);
    }
    case 'attach-pasid': {
      if (request.table !== 'failed') device.tables.set(request.pasid, request.ptId);
      return;
    }
    case 'detach-pasid': {
      if (!request.failed) device.tables.delete(request.pasid);
      return;
    }
    case 'reset-pasids': {
      device.tables.clear();
      device.pasid = null;
      return model.free('pasid', name);
    }
    case 'disable-pasid': {
      device.pasid = null;
      return model.free('pasid', name);
    }
    case 'enable-ats': case 'disable-ats': {
      device.ats = request.kind === 'enable-ats';
      return;
    }
    case 'enable-pri': {
      const pf = model.countingFor(device.slot) ?? null;
      device.pri = { pf };
      return model.use('pri', pf, name);
    }
    case 'disable-pri': {
      device.pri = null;
      return model.free('pri', name);
    }
  }
}

function decide(
  device: ModelDevice, model: Model, { wish, vmm }: { readonly wish: WishName; readonly vmm: VmmName },
  layout: ToldLayout | null,
): void {
  const { layoutDigest, placements } = must(layout ?? undefined, 'layout');
  const look = model.lookIn(device.slot);
  const meant = placesMeant(device, look, wish);
  const chosen = new Map(placements.map(({ name, offset }) => [name, offset]));
  // The planner chooses where nothing was meant; everything else is known beforehand.
  expect([...chosen.keys()].sort()).toEqual([...meant.keys()].sort());
  for (const [name, at] of meant) if (at !== null) expect([name, chosen.get(name)]).toEqual([name, at]);
  const kept = keptPlaces(device, look, wish);
  const reserved = new Map([...kept].filter(([name]) => !chosen.has(name)));
  device.decisions += 1;
  const { facts } = model.function(device.slot);
  Object.assign(device, { look, facts, vmm: vmmIn(device.slot, vmm), places: chosen, reserved, layoutDigest });
}

function plan(model: Model, { key: { vm, id }, moves }: KnownMigration): void {
  model.migrations.push({ vm, id, state: 'planned', moves: moves.map(({ device, source, target, layout }) => {
    const name = `${vm}/${device}`;
    const [from, to] = [`${source.host}/${source.address}`, `${target.host}/${target.address}`];
    const { vmm, decisions, divergence } = model.device(name);
    return {
      device: name, source: from, layoutDigest: layout.layoutDigest, target: to, vmm, decisions, divergence,
      looks: model.function(to).looks, pfLooks: model.pfLooks(to),
    };
  }) });
}

function advance(model: Model, request: Extract<Request, { kind: 'advance' }>): void {
  const migration = must(model.migrations.at(-1 - request.back), 'migration');
  if (isReached(request, migration)) return;
  const wasPrepared = migration.state === 'prepared';
  migration.state = ({ prepare: 'prepared', complete: 'completed', abort: 'aborted' } as const)[request.step];
  if (request.step === 'prepare') model.held.set(migration.vm, migration.id);
  else if (wasPrepared) model.held.delete(migration.vm);
  for (const { device: name, target, vmm, layoutDigest } of migration.moves) {
    const device = model.device(name);
    if (request.step === 'prepare') model.function(target).claim = { device: name, migration: migration.id };
    if (request.step === 'abort' && wasPrepared) model.function(target).claim = null;
    if (request.step !== 'complete') continue;
    model.leave(name);
    model.function(target).claim = { device: name, migration: null };
    device.decisions += 1;
    const look = model.lookIn(target);
    const { facts } = model.function(target);
    Object.assign(device, { slot: target, look, facts, vmm, layoutDigest, found: true });
  }
}
