import { canonicalJson, type Digest } from '@cadastre/device-layout';
import { type ImportEvent } from './bundle/import-decider.js';
import { type DeviceEvent } from './device/device-events.js';
import { type PasidEvent } from './device/pasids/pasid-events.js';
import { type ForFold, typesOfBareEvents } from './for-fold.js';
import { type FunctionEvent } from './function/function-events.js';
import { type MigrationEvent } from './migration/migration-events.js';
import { type PersonaEvent } from './persona/persona-decider.js';
import { upcast, type Upcasts } from './upcast.js';
import { type VmEvent } from './vm/vm-decider.js';

/** Every fact the ledger records. */
export type LedgerEvent = FunctionEvent | DeviceEvent | PersonaEvent | MigrationEvent | VmEvent | ImportEvent;

/** Which command recorded an event, and when. The key never expires: it is how a repeated command is recognised. */
export interface Envelope {
  readonly idempotencyKey: string;
  /** Digest of the request the key was first used for. */
  readonly requestDigest: Digest;
  /** UTC, ISO 8601, milliseconds. Never earlier than the event before; order never comes from it. */
  readonly recordedAt: string;
}

export interface DecodedEvent {
  readonly event: LedgerEvent;
  readonly envelope: Envelope;
}

/** An event this version cannot read stops the fold by name; it is never skipped. */
export class UnreadableEvent extends Error {
  constructor(readonly type: string, readonly schema: unknown, problem: string) {
    super(`event ${type} schema ${String(schema)}: ${problem}`);
    this.name = 'UnreadableEvent';
  }
}

/** Which stream an event belongs to. */
type Owner<Event extends LedgerEvent> = Event extends FunctionEvent ? 'function'
  : Event extends PasidEvent ? 'pasid' : Event extends DeviceEvent ? 'device'
    : Event extends PersonaEvent ? 'persona' : Event extends MigrationEvent ? 'migration'
      : Event extends VmEvent ? 'vm' : 'import';

/** Every type: whose it is, and its newest schema. Older schemas are upcast on reading. */
const known: {
  readonly [Type in LedgerEvent['type']]: readonly [
    owner: Owner<Extract<LedgerEvent, { type: Type }>>, schema: Extract<LedgerEvent, { type: Type }>['schema'],
  ];
} = {
  FunctionRegistered: ['function', 1],
  FunctionObserved: ['function', 1],
  HostFactsObserved: ['function', 1],
  ObservationConfirmed: ['function', 1],
  FunctionClaimed: ['function', 1],
  FunctionReleased: ['function', 1],
  FunctionRetired: ['function', 1],
  SharedCapabilityUsed: ['function', 1],
  SharedCapabilityFreed: ['function', 1],
  DeviceAttached: ['device', 1],
  LayoutDecided: ['device', 1],
  LayoutConfirmed: ['device', 1],
  LayoutDiverged: ['device', 1],
  DeviceMoved: ['device', 1],
  LayoutImported: ['device', 1],
  DeviceDetached: ['device', 1],
  PasidEnabled: ['pasid', 1],
  PasidDisabled: ['pasid', 1],
  PasidAttached: ['pasid', 1],
  PasidReplaced: ['pasid', 1],
  PasidDetached: ['pasid', 1],
  PasidOperationFailed: ['pasid', 1],
  PasidsDetached: ['pasid', 1],
  AtsEnabled: ['pasid', 1],
  AtsDisabled: ['pasid', 1],
  PriEnabled: ['pasid', 1],
  PriDisabled: ['pasid', 1],
  PersonaPublished: ['persona', 1],
  MigrationPlanned: ['migration', 1],
  MigrationPrepared: ['migration', 1],
  MigrationCompleted: ['migration', 1],
  MigrationAborted: ['migration', 1],
  VmHeld: ['vm', 1],
  VmReleased: ['vm', 1],
  BundleImported: ['import', 1],
};

/** How older schemas of a type become the newest; there are none yet. */
const upcasts: { readonly [Type in LedgerEvent['type']]?: Upcasts } = {};

/** Every type this version reads. */
export const eventTypes = Object.keys(known) as readonly LedgerEvent['type'][];

/** A type as the one string that code compares it with, its newest schema, and how such an event's text ends. */
interface Kind {
  readonly type: LedgerEvent['type'];
  readonly schema: number;
  readonly end: string;
  /** What a fold takes, when that is the same of all events of the type. */
  readonly bare: ForFold<LedgerEvent> | null;
}

const bareTypes: ReadonlySet<string> = new Set(typesOfBareEvents);

const kindNamed: ReadonlyMap<string, Kind> = new Map(eventTypes.map((type) => {
  const [, schema] = known[type];
  const bare = bareTypes.has(type) ? Object.freeze({ type, schema }) as ForFold<LedgerEvent> : null;
  return [type, { type, schema, end: `,"schema":${schema},"type":"${type}"}`, bare }];
}));

/** The text that is stored and hashed, once and for ever: canonical JSON of the event and its envelope. */
export function encodeEvent({ event, envelope }: DecodedEvent): string {
  const { type, schema, ...data } = event;
  return canonicalJson({ ...envelope, type, schema, data });
}

/** Reads stored text back. Throws `UnreadableEvent` on a type or schema this version does not know. */
export function decodeEvent(text: string): DecodedEvent {
  // The store checked this text against its hash, so its shape is what some version of encodeEvent wrote.
  const stored = JSON.parse(text) as Envelope & {
    readonly type: string; readonly schema: number; readonly data: object;
  };
  const { schema, data, idempotencyKey, requestDigest, recordedAt } = stored;
  const kind = kindNamed.get(stored.type);
  if (!kind) throw new UnreadableEvent(stored.type, schema, 'this version knows no such event');
  const current = kind.schema === schema ? data : upcast(data, schema, kind.schema, upcasts[kind.type] ?? {});
  if (!current) throw new UnreadableEvent(kind.type, schema, `this version reads schema ${kind.schema}`);
  return { event: eventOf(current, kind), envelope: { idempotencyKey, requestDigest, recordedAt } };
}

// The object was made for us a line ago: a copy of it would be the third of its bytes.
function eventOf(data: object, { type, schema }: Kind): LedgerEvent {
  return Object.assign(data, { type, schema }) as LedgerEvent;
}

const dataBegin = '{"data":';
// What follows the data, since names are in order. No text within a string can be the same: its quotes are escaped.
const dataEnd = ',"idempotencyKey":"';

/**
 * The event for a fold, which asks neither for its envelope, half of the text of a small event, nor for more than the
 * type of some. `type` is that of the record. Throws as `decodeEvent` does.
 */
export function decodeForFold(type: string, text: string): ForFold<LedgerEvent> {
  const kind = kindNamed.get(type);
  if (!kind || !text.endsWith(kind.end)) return decodeEvent(text).event;
  if (kind.bare) return kind.bare;
  const end = text.lastIndexOf(dataEnd);
  if (end < 0 || !text.startsWith(dataBegin)) return decodeEvent(text).event;
  return eventOf(JSON.parse(text.slice(dataBegin.length, end)) as object, kind);
}

/** A whole event, or what a fold takes of one. */
type Typed = Pick<LedgerEvent, 'type'>;
type Of<Event extends Typed, Own extends LedgerEvent> = Extract<Event, Pick<Own, 'type'>>;

export function isFunctionEvent<Event extends Typed>(event: Event): event is Of<Event, FunctionEvent> {
  return known[event.type][0] === 'function';
}

/** Of the events of a device, those of its PASIDs. */
export function isPasidEvent<Event extends Typed>(event: Event): event is Of<Event, PasidEvent> {
  return known[event.type][0] === 'pasid';
}

export function isDeviceEvent<Event extends Typed>(event: Event): event is Of<Event, DeviceEvent> {
  const [owner] = known[event.type];
  return owner === 'device' || owner === 'pasid';
}

export function isPersonaEvent<Event extends Typed>(event: Event): event is Of<Event, PersonaEvent> {
  return known[event.type][0] === 'persona';
}

export function isMigrationEvent<Event extends Typed>(event: Event): event is Of<Event, MigrationEvent> {
  return known[event.type][0] === 'migration';
}

export function isVmEvent<Event extends Typed>(event: Event): event is Of<Event, VmEvent> {
  return known[event.type][0] === 'vm';
}

export function isImportEvent<Event extends Typed>(event: Event): event is Of<Event, ImportEvent> {
  return known[event.type][0] === 'import';
}
