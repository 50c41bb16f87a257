import { type Bdf } from '@cadastre/config-space';
import { type CapabilityName } from './capability-name.js';
import { type ClashKind } from './clash.js';
import { type DeviceRow } from './device-row.js';
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
}

export interface ClashFilter {
  readonly kind?: ClashKind;
  readonly host?: string;
  readonly vm?: string;
}

/** A list query: which rows, and which index leads to them in the order of their streams. */
export interface ListQuery {
  readonly text: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

const hasCapability = 'capabilities IN (SELECT list FROM capability_listed WHERE name = :capability)';
const names = 'CROSS JOIN capability_list ON capability_list.id = capabilities';

/** Rows whose stream is behind `after`, at most `limit`. */
export function functionQuery(filter: FunctionFilter, after: string, limit: number): ListQuery {
  const { host, vm, model, capability, claimed, pf, at } = filter;
  const index = pf !== undefined ? 'function_by_pf' : vm !== undefined ? 'function_by_vm'
    : host === undefined && model !== undefined ? 'function_by_model' : 'function_in_order';
  return query('function', index, after, limit, { name: 'function', within: host }, [
    ['vm = :vm', { vm }],
    ['model = :model', { model }],
    [hasCapability, { capability }],
    [claimed === false ? 'vm IS NULL' : 'vm IS NOT NULL', { claimed }],
    ['pf = :pf', { pf }],
    ['host = :host', { host: pf && host }],
    ['since <= :at', { at }],
  ]);
}

/** Rows whose stream is behind `after`, at most `limit`. */
export function deviceQuery(filter: DeviceFilter, after: string, limit: number): ListQuery {
  const { vm, host, model, capability, layoutDigest, verdict, state } = filter;
  const index = vm !== undefined ? 'device_in_order' : host !== undefined ? 'device_by_host'
    : layoutDigest !== undefined ? 'device_by_layout' : model !== undefined ? 'device_by_model'
      : capability !== undefined || verdict !== undefined || state === undefined ? 'device_in_order'
        : 'device_by_state';
  return query('device', index, after, limit, { name: 'device', within: vm }, [
    ['host = :host', { host }],
    ['model = :model', { model }],
    [hasCapability, { capability }],
    ['layout_digest = :layoutDigest', { layoutDigest }],
    ['verdict = :verdict', { verdict }],
    ['state = :state', { state }],
  ]);
}

type Given = Readonly<Record<string, string | number | boolean | undefined>>;

/** A condition counts when the one value it is about was given. Hosts and VMs begin the names of their streams. */
function query(
  table: string, index: string, after: string, limit: number,
  stream: { readonly name: string; readonly within: string | undefined },
  conditions: readonly (readonly [condition: string, about: Given])[],
): ListQuery {
  const wanted = conditions.filter(([, about]) => Object.values(about)[0] !== undefined);
  // '-' and '/' end a part of a name and stand in no other; '.' and '0' are the next characters.
  const [first, behind] = stream.within === undefined ? [`${stream.name}-`, `${stream.name}.`]
    : [`${stream.name}-${stream.within}/`, `${stream.name}-${stream.within}0`];
  const values = Object.fromEntries(wanted.flatMap(([, about]) => Object.entries(about))
    .filter((entry): entry is [string, string | number] => typeof entry[1] !== 'boolean'));
  return {
    text: `SELECT * FROM ${table} INDEXED BY ${index} ${names}
      WHERE ${['stream > :after', 'stream < :behind', ...wanted.map(([condition]) => condition)].join(' AND ')}
      ORDER BY stream LIMIT :limit`,
    parameters: { ...values, after: after > first ? after : first, behind, limit },
  };
}

/** Clashes behind the one with the number `after`, in the order they came to light. */
export function clashQuery({ kind, host, vm }: ClashFilter, after: number, limit: number): ListQuery {
  const about = 'id IN (SELECT clash FROM clash_party WHERE party = ';
  const conditions = [
    'id > :after',
    ...(kind === undefined ? [] : ['kind = :kind']),
    ...(host === undefined ? [] : [`${about}:host)`]),
    ...(vm === undefined ? [] : [`${about}:vm)`]),
  ];
  return {
    text: `SELECT * FROM clash WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT :limit`,
    parameters: {
      after, limit,
      ...(kind === undefined ? {} : { kind }),
      ...(host === undefined ? {} : { host: `function-${host}` }),
      ...(vm === undefined ? {} : { vm: `device-${vm}` }),
    },
  };
}

/** VMs whose name is behind `after`, each with its devices. */
export function vmQuery(after: string, limit: number): ListQuery {
  return {
    text: `SELECT vm, count(*) AS devices, sum(state = 'attached') AS attached FROM device INDEXED BY device_by_vm
      WHERE vm > :after GROUP BY vm ORDER BY vm LIMIT :limit`,
    parameters: { after, limit },
  };
}
