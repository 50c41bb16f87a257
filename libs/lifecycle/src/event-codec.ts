import { canonicalJson, type Digest } from '@cadastre/device-layout';
import { type DeviceEvent } from './device/device-events.js';
import { type PasidEvent } from './device/pasids/pasid-events.js';
import { type FunctionEvent } from './function/function-events.js';
import { type MigrationEvent } from './migration/migration-events.js';
import { type PersonaEvent } from './persona/persona-decider.js';

/** Every fact the ledger records. */
export type LedgerEvent = FunctionEvent | DeviceEvent | PersonaEvent | MigrationEvent;

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

/** The newest schema of every type. Older ones are upcast on reading; there are none yet. */
const schemas: { readonly [Type in LedgerEvent['type']]: Extract<LedgerEvent, { type: Type }>['schema'] } = {
  FunctionRegistered: 1,
  FunctionObserved: 1,
  ObservationConfirmed: 1,
  FunctionClaimed: 1,
  FunctionReleased: 1,
  FunctionRetired: 1,
  SharedCapabilityUsed: 1,
  SharedCapabilityFreed: 1,
  DeviceAttached: 1,
  LayoutDecided: 1,
  LayoutConfirmed: 1,
  LayoutDiverged: 1,
  DeviceMoved: 1,
  DeviceDetached: 1,
  PasidEnabled: 1,
  PasidDisabled: 1,
  PasidAttached: 1,
  PasidReplaced: 1,
  PasidDetached: 1,
  PasidOperationFailed: 1,
  PasidsDetached: 1,
  AtsEnabled: 1,
  AtsDisabled: 1,
  PriEnabled: 1,
  PriDisabled: 1,
  PersonaPublished: 1,
  MigrationPlanned: 1,
  MigrationPrepared: 1,
  MigrationCompleted: 1,
  MigrationAborted: 1,
};

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** The bytes that are stored and hashed, once and for ever: canonical JSON of the event and its envelope. */
export function encodeEvent({ event, envelope }: DecodedEvent): Uint8Array {
  const { type, schema, ...data } = event;
  return utf8.encode(canonicalJson({ ...envelope, type, schema, data }));
}

/** Reads stored bytes back. Throws `UnreadableEvent` on a type or schema this version does not know. */
export function decodeEvent(bytes: Uint8Array): DecodedEvent {
  // The store checked these bytes against their hash, so their shape is what some version of encodeEvent wrote.
  const stored = JSON.parse(fromUtf8.decode(bytes)) as Envelope & {
    readonly type: string; readonly schema: number; readonly data: object;
  };
  const { type, schema, data, idempotencyKey, requestDigest, recordedAt } = stored;
  if (!isKnown(type)) throw new UnreadableEvent(type, schema, 'this version knows no such event');
  if (schemas[type] !== schema) throw new UnreadableEvent(type, schema, `this version reads schema ${schemas[type]}`);
  return {
    // The object was made for us a line ago: a copy of it would be the third of its bytes.
    event: Object.assign(data, { type, schema }) as LedgerEvent,
    envelope: { idempotencyKey, requestDigest, recordedAt },
  };
}

function isKnown(type: string): type is LedgerEvent['type'] {
  return Object.hasOwn(schemas, type);
}

const functionEvents: readonly string[] = [
  'FunctionRegistered', 'FunctionObserved', 'ObservationConfirmed', 'FunctionClaimed', 'FunctionReleased',
  'FunctionRetired', 'SharedCapabilityUsed', 'SharedCapabilityFreed',
] satisfies readonly FunctionEvent['type'][];

export function isFunctionEvent(event: LedgerEvent): event is FunctionEvent {
  return functionEvents.includes(event.type);
}

const pasidEvents: readonly string[] = [
  'PasidEnabled', 'PasidDisabled', 'PasidAttached', 'PasidReplaced', 'PasidDetached', 'PasidOperationFailed',
  'PasidsDetached', 'AtsEnabled', 'AtsDisabled', 'PriEnabled', 'PriDisabled',
] satisfies readonly PasidEvent['type'][];

/** Of the events of a device, those of its PASIDs. */
export function isPasidEvent(event: LedgerEvent): event is PasidEvent {
  return pasidEvents.includes(event.type);
}

export function isDeviceEvent(event: LedgerEvent): event is DeviceEvent {
  return !isFunctionEvent(event) && !isPersonaEvent(event) && !isMigrationEvent(event);
}

export function isPersonaEvent(event: LedgerEvent): event is PersonaEvent {
  return event.type === 'PersonaPublished';
}

const migrationEvents: readonly string[] = [
  'MigrationPlanned', 'MigrationPrepared', 'MigrationCompleted', 'MigrationAborted',
] satisfies readonly MigrationEvent['type'][];

export function isMigrationEvent(event: LedgerEvent): event is MigrationEvent {
  return migrationEvents.includes(event.type);
}
