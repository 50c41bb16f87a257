import { type Bdf } from '@cadastre/config-space';
import { type CapabilityName } from './capability-name.js';
import { type ClashKind } from './clash.js';
import { type FunctionKey } from '@cadastre/lifecycle';
import { type DeviceRow } from './device-row.js';
import { type MigrationRow } from './migration-row.js';
import { type Model } from './model.js';

/** What a list of functions may be narrowed to; all that is named must hold. */
export interface FunctionFilter {
  readonly host?: string;
  readonly vm?: string;
  readonly model?: Model;
  readonly capability?: CapabilityName;
  readonly claimed?: boolean;
  /** The PF it names: one of the host. */
  readonly pf?: Bdf;
  /** Whether it was there at this position, whatever it is now. */
  readonly at?: number;
}

/** What a list of devices may be narrowed to; all that is named must hold. A detached device has no host or model. */
export interface DeviceFilter {
  readonly vm?: string;
  readonly host?: string;
  readonly model?: Model;
  readonly capability?: CapabilityName;
  readonly layoutDigest?: string;
  readonly verdict?: NonNullable<DeviceRow['verdict']>;
  readonly state?: DeviceRow['state'];
  /** Whether it had been attached by this position, whatever it is now. */
  readonly at?: number;
}

/** What a list of migrations may be narrowed to; all that is named must hold. `host` is the target. */
export interface MigrationFilter {
  readonly vm?: string;
  readonly host?: string;
  readonly state?: MigrationRow['state'];
  /** Whether it had been planned by this position, whatever became of it. */
  readonly at?: number;
}

export interface ClashFilter {
  readonly kind?: ClashKind;
  readonly host?: string;
  readonly vm?: string;
  /** Whether it had come to light by this position. */
  readonly at?: number;
}

/** A list query: which rows, and which index leads to them in the order of their streams. */
export interface ListQuery {
  readonly text: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

/** Kinds that fit a filter; undefined when it asks nothing of them. */
export type Kinds = readonly number[] | undefined;

/** Of so many kinds the rows are merged, a look into the index for each; where more fit, the whole list is walked. */
export const mergedKindsMax = 32;

// A bare `LIMIT :limit` is planned anew each time: see ledger-statements.ts.
const limited = 'LIMIT CAST(:limit AS INTEGER)';

const hasCapability = `instr(' ' || capabilities || ' ', ' ' || :capability || ' ') > 0`;

export function functionKindQuery({ model, capability, claimed }: FunctionFilter): ListQuery | undefined {
  return kindQuery('function_kind', [
    [hasCapability, { capability }],
    ['model = :model', { model }],
    ['claimed = :claimed', { claimed: claimed === undefined ? undefined : Number(claimed) }],
  ]);
}

export function deviceKindQuery({ model, capability, verdict, state }: DeviceFilter): ListQuery | undefined {
  return kindQuery('device_kind', [
    [hasCapability, { capability }],
    ['model = :model', { model }],
    ['state = :state', { state }],
    ['verdict = :verdict', { verdict }],
  ]);
}

/** Rows of these kinds whose stream is behind `after`, at most `limit`. */
export function functionQuery(
  { host, vm, pf, at }: FunctionFilter, kinds: Kinds, after: string, limit: number,
): ListQuery {
  const index = pf !== undefined ? 'function_by_pf' : vm !== undefined ? 'function_by_vm'
    : host !== undefined ? 'function_in_order' : undefined;
  return rowQuery('function', index, kinds, after, limit, host, [
    ['vm = :vm', { vm }],
    ['pf = :pf', { pf }],
    ['host = :host', { host: pf && host }],
    ['since <= :at', { at }],
  ]);
}

/** Rows of these kinds whose stream is behind `after`, at most `limit`. */
export function deviceQuery(
  { vm, host, layoutDigest, at }: DeviceFilter, kinds: Kinds, after: string, limit: number,
): ListQuery {
  const index = vm !== undefined ? 'device_in_order' : host !== undefined ? 'device_by_host'
    : layoutDigest !== undefined ? 'device_by_layout' : undefined;
  return rowQuery('device', index, kinds, after, limit, vm, [
    ['host = :host', { host }],
    ['layout_digest = :layoutDigest', { layoutDigest }],
    ['since <= :at', { at }],
  ]);
}

type Condition = readonly [text: string, about: Readonly<Record<string, string | number | undefined>>];

interface Given {
  readonly texts: readonly string[];
  readonly values: Readonly<Record<string, string | number>>;
}

/** A condition counts when the one value it is about was given. */
function given(conditions: readonly Condition[]): Given {
  const wanted = conditions.flatMap(([text, about]) => Object.entries(about)
    .flatMap(([name, value]) => (value === undefined ? [] : [{ text, name, value }])));
  return {
    texts: wanted.map(({ text }) => text), values: Object.fromEntries(wanted.map(({ name, value }) => [name, value])),
  };
}

function kindQuery(table: string, conditions: readonly Condition[]): ListQuery | undefined {
  const { texts, values } = given(conditions);
  if (texts.length === 0) return undefined;
  return { text: `SELECT id FROM ${table} WHERE ${texts.join(' AND ')}`, parameters: values };
}

/**
 * @param narrow the index that leads to few rows, when a condition gives one
 * @param within the host or VM that begins the names of all streams wanted
 */
function rowQuery(
  table: 'function' | 'device', narrow: string | undefined, kinds: Kinds, after: string, limit: number,
  within: string | undefined, conditions: readonly Condition[],
): ListQuery {
  const { texts, values } = given(conditions);
  // '-' and '/' end a part of a name and stand in no other; '.' and '0' are the next characters.
  const [first, behind] = within === undefined ? [`${table}-`, `${table}.`]
    : [`${table}-${within}/`, `${table}-${within}0`];
  const rows = (index: string, ofKind = 'TRUE'): string =>
    `SELECT * FROM ${table} INDEXED BY ${index} CROSS JOIN ${table}_kind ON ${table}_kind.id = kind
      WHERE ${['stream > :after', 'stream < :behind', ...texts, ofKind].join(' AND ')}`;
  const listed = (selects: readonly string[], ofKinds: ListQuery['parameters']): ListQuery => ({
    text: `${selects.join(' UNION ALL ')} ORDER BY stream ${limited}`,
    parameters: { ...values, ...ofKinds, after: after > first ? after : first, behind, limit },
  });
  const index = narrow ?? `${table}_in_order`;
  if (kinds === undefined) return listed([rows(index)], {});
  if (narrow !== undefined || kinds.length > mergedKindsMax) {
    return listed([rows(index, 'kind IN (SELECT value FROM json_each(:kinds))')], { kinds: JSON.stringify(kinds) });
  }
  // Each select reads one range of the index in order, and SQLite merges them row by row, as far as the limit.
  return listed(kinds.map((_, place) => rows(`${table}_by_kind`, `kind = :kind${place}`)),
    Object.fromEntries(kinds.map((kind, place) => [`kind${place}`, kind])));
}

/** Clashes behind the one with the number `after`, in the order they came to light. */
export function clashQuery({ kind, host, vm, at }: ClashFilter, after: number, limit: number): ListQuery {
  const about = 'id IN (SELECT clash FROM clash_party WHERE party = ';
  const conditions = [
    'id > :after',
    ...(kind === undefined ? [] : ['kind = :kind']),
    ...(host === undefined ? [] : [`${about}:host)`]),
    ...(vm === undefined ? [] : [`${about}:vm)`]),
    ...(at === undefined ? [] : ['position <= :at']),
  ];
  return {
    text: `SELECT * FROM clash WHERE ${conditions.join(' AND ')} ORDER BY id ${limited}`,
    parameters: {
      after, limit,
      ...(kind === undefined ? {} : { kind }),
      ...(host === undefined ? {} : { host: `function-${host}` }),
      ...(vm === undefined ? {} : { vm: `device-${vm}` }),
      ...(at === undefined ? {} : { at }),
    },
  };
}

/** VMs whose name is behind `after`, each with its devices; `attached` is of the present, whatever `at` says. */
export function vmQuery(after: string, limit: number, at?: number): ListQuery {
  return {
    text: `SELECT vm, count(*) AS devices, count(host) AS attached FROM device INDEXED BY device_by_vm
      WHERE vm > :after ${at === undefined ? '' : 'AND since <= :at'} GROUP BY vm ORDER BY vm ${limited}`,
    parameters: { after, limit, ...(at === undefined ? {} : { at }) },
  };
}

/** The device of a VM that was attached first. */
export function firstDeviceQuery(vm: string): ListQuery {
  return {
    text: `SELECT * FROM device INDEXED BY device_by_vm CROSS JOIN device_kind ON device_kind.id = kind
      WHERE vm = :vm ORDER BY since ${limited}`,
    parameters: { vm, limit: 2 },
  };
}

/** Migrations that began behind the position `after`, oldest first. */
export function migrationQuery({ vm, host, state, at }: MigrationFilter, after: number, limit: number): ListQuery {
  const { texts, values } = given([
    ['vm = :vm', { vm }], ['host = :host', { host }], ['state = :state', { state }], ['since <= :at', { at }],
  ]);
  const index = vm !== undefined ? 'migration_by_vm' : host !== undefined ? 'migration_by_host'
    : state !== undefined ? 'migration_by_state' : 'migration_in_order';
  return {
    text: `SELECT * FROM migration INDEXED BY ${index} WHERE ${['since > :after', ...texts].join(' AND ')}
      ORDER BY since ${limited}`,
    parameters: { ...values, after, limit },
  };
}

/** Functions that ever named this PF theirs, by name. */
export function memberQuery({ host, address }: FunctionKey, limit: number): ListQuery {
  return {
    text: `SELECT function.*, function_kind.* FROM family CROSS JOIN function USING (stream)
      CROSS JOIN function_kind ON function_kind.id = kind
      WHERE family.host = :host AND family.pf = :pf ORDER BY stream ${limited}`,
    parameters: { host, pf: address, limit },
  };
}
