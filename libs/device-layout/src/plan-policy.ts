import { type ByteRange, type CapabilitySpace, ok, refuse, type Result } from '@cadastre/config-space';
import { type PlacementPolicy, type ToldRoom } from './ground.js';
import { identityFieldNames, type LayoutOperation } from './layout-operation.js';
import { defaultStrategies, type ForbiddenRange, strategies } from './refusal.js';
import { isRecord, type Malformed } from './shape.js';
import { isSyntheticName, type SyntheticName } from './synthetic-capability.js';

/** What an operator says about a plan beside the capabilities. */
export interface PlanPolicy {
  readonly policy: PlacementPolicy;
  readonly operations: readonly LayoutOperation[];
  readonly told: readonly ToldRoom[];
}

/** Ranges, operations and rooms in one policy. */
const itemsMax = 256;

/** A reader that gives up at the first thing that is wrong, and says where it is. */
class Reader {
  wrong: Malformed | undefined;

  fail(pointer: string, problem: string): void {
    this.wrong ??= { kind: 'malformed', pointer, problem };
  }

  /** A whole number, or one as people write offsets: `0x148`. */
  number(given: unknown, pointer: string, most = 0xffffffff): number {
    const value = typeof given === 'string' && /^0x[0-9a-fA-F]{1,8}$/.test(given) ? Number(given) : given;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
    this.fail(pointer, `must be a whole number of at most 0x${most.toString(16)}, or "0x..."`);
    return 0;
  }

  text(given: unknown, pointer: string): string {
    if (typeof given === 'string' && given.length <= 200 && given.isWellFormed()) return given;
    this.fail(pointer, 'must be text of at most 200 characters');
    return '';
  }

  choice<const Choice extends string>(given: unknown, pointer: string, choices: readonly Choice[]): Choice | undefined {
    const found = choices.find((one) => one === given);
    if (found === undefined) this.fail(pointer, `must be ${choices.join(', ')}`);
    return found;
  }

  name(given: unknown, pointer: string): SyntheticName {
    if (typeof given === 'string' && isSyntheticName(given)) return given;
    this.fail(pointer, 'must be the name of a capability that can be placed');
    return 'pasid';
  }

  members(given: unknown, pointer: string, known: readonly string[]): Readonly<Record<string, unknown>> {
    if (!isRecord(given)) {
      this.fail(pointer, 'must be an object');
      return {};
    }
    const stranger = Object.keys(given).find((one) => !known.includes(one));
    if (stranger !== undefined) this.fail(`${pointer}/${stranger}`, `must be one of ${known.join(', ')}`);
    return given;
  }

  list<Item>(given: unknown, pointer: string, read: (item: unknown, at: string) => Item): readonly Item[] {
    if (given === undefined || given === null) return [];
    if (!Array.isArray(given) || given.length > itemsMax) {
      this.fail(pointer, `must be a list of at most ${itemsMax}`);
      return [];
    }
    return given.map((item: unknown, index) => read(item, `${pointer}/${index}`));
  }

  range(given: unknown, pointer: string, more: readonly string[] = []): ByteRange {
    const { offset, length } = this.members(given, pointer, ['offset', 'length', ...more]);
    return {
      offset: this.number(offset, `${pointer}/offset`, 0xffff),
      length: this.number(length, `${pointer}/length`, 0x1000),
    };
  }
}

/**
 * Reads `strategies`, `pinned`, `allowedRanges`, `forbiddenRanges`, `operations`, `told` out of a parsed value; what is
 * left out is the default. Where every wanted capability is pinned, those offsets or nothing are meant, unless
 * strategies are named.
 */
export function readPlanPolicy(given: unknown, wanted: readonly SyntheticName[]): Result<PlanPolicy, Malformed> {
  const reader = new Reader();
  const known = ['strategies', 'pinned', 'allowedRanges', 'forbiddenRanges', 'operations', 'told'];
  const all = reader.members(given ?? {}, '', known);
  const pinned: Partial<Record<SyntheticName, number>> = {};
  const pins = all['pinned'] ?? {};
  if (!isRecord(pins)) reader.fail('/pinned', 'must be an object');
  else {
    for (const [name, offset] of Object.entries(pins)) {
      pinned[reader.name(name, `/pinned/${name}`)] = reader.number(offset, `/pinned/${name}`, 0xffff);
    }
  }
  const named = reader.list(all['strategies'], '/strategies', (one, at) =>
    reader.choice(one, at, strategies) ?? 'gap');
  if (Object.keys(pinned).length > 0 && all['strategies'] && !named.includes('pinned')) {
    reader.fail('/strategies', 'must have "pinned" among them: an offset is pinned, and no strategy looks at it');
  }
  const policy: PlacementPolicy = {
    pinned, ...(all['strategies'] ? { strategies: [...new Set(named)] } : strategiesFor(pinned, wanted)),
    allowedRanges: reader.list(all['allowedRanges'], '/allowedRanges', (one, at) => reader.range(one, at)),
    forbiddenRanges: reader.list(all['forbiddenRanges'], '/forbiddenRanges', (one, at): ForbiddenRange => ({
      ...reader.range(one, at, ['reason']),
      reason: isRecord(one) && one['reason'] !== undefined ? reader.text(one['reason'], `${at}/reason`) : 'forbidden',
    })),
  };
  const operations = reader.list(all['operations'], '/operations', (one, at) => operation(reader, one, at));
  const told = reader.list(all['told'], '/told', (one, at): ToldRoom => {
    const { source, name } = reader.members(one, at, ['source', 'name', 'offset', 'length']);
    return {
      // Whoever is quoted, it is the operator who says so.
      by: 'operator', source: reader.text(source, `${at}/source`),
      name: name === undefined || name === null ? null : reader.name(name, `${at}/name`),
      range: reader.range(one, at, ['source', 'name']),
    };
  });
  return reader.wrong ? refuse(reader.wrong) : ok({ policy, operations, told });
}

/** What a policy that names no strategy means. */
export function strategiesFor(
  pinned: PlacementPolicy['pinned'], wanted: readonly SyntheticName[],
): Pick<PlacementPolicy, 'strategies' | 'pinnedOrNowhere'> {
  const pins = wanted.filter((name) => pinned[name] !== undefined);
  if (pins.length === 0) return { strategies: defaultStrategies };
  if (pins.length === wanted.length) return { strategies: ['pinned'] };
  return { strategies: ['pinned', ...defaultStrategies], pinnedOrNowhere: true };
}

/** Members of each kind of operation, beside `kind` and `reason`. */
const members = {
  'hide-capability': ['space', 'id', 'offset'],
  'replace-identity': ['field', 'value'],
  'replace-register': ['offset', 'mask', 'value'],
  scrub: ['offset', 'length'],
} as const satisfies Record<LayoutOperation['kind'], readonly string[]>;
const kinds = Object.keys(members) as readonly LayoutOperation['kind'][];
const spaces: readonly CapabilitySpace[] = ['standard', 'extended'];

function operation(reader: Reader, given: unknown, at: string): LayoutOperation {
  const kind = reader.choice(isRecord(given) ? given['kind'] : undefined, `${at}/kind`, kinds) ?? 'scrub';
  const own = reader.members(given, at, ['kind', 'reason', ...members[kind]]);
  const reason = own['reason'] === undefined ? 'policy' : reader.text(own['reason'], `${at}/reason`);
  const number = (name: string, most?: number): number => reader.number(own[name], `${at}/${name}`, most);
  switch (kind) {
    case 'hide-capability': return {
      kind, space: reader.choice(own['space'], `${at}/space`, spaces) ?? 'extended', id: number('id', 0xffff), reason,
      offset: own['offset'] === undefined || own['offset'] === null ? null : number('offset', 0xfff),
    };
    case 'replace-identity': return {
      kind, value: number('value'), reason,
      field: reader.choice(own['field'], `${at}/field`, identityFieldNames) ?? 'vendorId',
    };
    case 'replace-register':
      return { kind, offset: number('offset', 0xfff), mask: number('mask'), value: number('value'), reason };
    case 'scrub': return { kind, offset: number('offset', 0xfff), length: number('length', 0x1000), reason };
  }
}
