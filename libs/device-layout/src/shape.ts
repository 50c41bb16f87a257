import { ok, refuse, type Result } from '@cadastre/config-space';

/** Where a document is not what it has to be. RFC 6901, "JSON Pointer". */
export interface Malformed {
  readonly kind: 'malformed';
  readonly pointer: string;
  readonly problem: string;
}

/** JSON Schema as a value; draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One place for what a value looks like in a document: its reader, its writer and its published schema. */
export interface Shape<Value> {
  read(given: unknown, pointer: string): Result<Value, Malformed>;
  write(value: Value): unknown;
  readonly schema: JsonSchema;
}

export type ValueOf<Given> = Given extends Shape<infer Value> ? Value : never;

function wrong(pointer: string, problem: string): { readonly ok: false; readonly refusal: Malformed } {
  return refuse({ kind: 'malformed', pointer, problem });
}

/** A number as people write it in this field: `0x` and at least `digits` lower-case hexadecimal digits. */
export function hex(digits: number, most: number): Shape<number> {
  const write = (value: number): string => `0x${value.toString(16).padStart(digits, '0')}`;
  return {
    read(given, pointer) {
      const value = typeof given === 'string' && /^0x[0-9a-f]{1,8}$/.test(given) ? Number(given) : NaN;
      if (value <= most && write(value) === given) return ok(value);
      return wrong(pointer, `must be 0x and ${digits} lower-case hexadecimal digits, at most ${write(most)}`);
    },
    write,
    schema: { type: 'string', pattern: `^0x[0-9a-f]{${digits},${write(most).length - 2}}$` },
  };
}

export function whole(least: number, most: number): Shape<number> {
  return {
    read(given, pointer) {
      const isWhole = typeof given === 'number' && Number.isInteger(given);
      if (isWhole && given >= least && given <= most) return ok(given);
      return wrong(pointer, `must be a whole number in ${least}..${most}`);
    },
    write: (value) => value,
    schema: { type: 'integer', minimum: least, maximum: most },
  };
}

export function text(most: number, pattern?: RegExp): Shape<string> {
  return {
    read(given, pointer) {
      if (typeof given !== 'string' || given.length > most || !given.isWellFormed()) {
        return wrong(pointer, `must be text of at most ${most} characters`);
      }
      return pattern && !pattern.test(given) ? wrong(pointer, `must match ${pattern.source}`) : ok(given);
    },
    write: (value) => value,
    schema: { type: 'string', maxLength: most, ...(pattern ? { pattern: pattern.source } : {}) },
  };
}

export function oneOf<const Value extends string | number>(...values: readonly Value[]): Shape<Value> {
  return {
    read(given, pointer) {
      const found = values.find((one) => one === given);
      return found === undefined ? wrong(pointer, `must be ${values.join(', ')}`) : ok(found);
    },
    write: (value) => value,
    schema: { enum: values },
  };
}

export function orNull<Value>(shape: Shape<Value>): Shape<Value | null> {
  return {
    read: (given, pointer) => (given === null ? ok(null) : shape.read(given, pointer)),
    write: (value) => (value === null ? null : shape.write(value)),
    schema: { anyOf: [shape.schema, { type: 'null' }] },
  };
}

export function list<Value>(shape: Shape<Value>, most: number): Shape<readonly Value[]> {
  return {
    read(given, pointer) {
      if (!Array.isArray(given)) return wrong(pointer, 'must be a list');
      if (given.length > most) return wrong(pointer, `must have at most ${most} items`);
      const values: Value[] = [];
      for (const [index, item] of given.entries()) {
        const read = shape.read(item, `${pointer}/${index}`);
        if (!read.ok) return read;
        values.push(read.value);
      }
      return ok(values);
    },
    write: (values) => values.map((value) => shape.write(value)),
    schema: { type: 'array', items: shape.schema, maxItems: most },
  };
}

type ObjectOf<Given> = { readonly [Name in keyof Given]: ValueOf<Given[Name]> };

/** Exactly these members: one more is as wrong as one too few. */
export function object<const Given extends Readonly<Record<string, { readonly schema: JsonSchema }>>>(
  members: Given,
): Shape<ObjectOf<Given>> {
  type Value = ObjectOf<Given>;
  const shapes = Object.entries(members) as unknown as readonly (readonly [string, Shape<unknown>])[];
  return {
    read(given, pointer) {
      if (!isRecord(given)) return wrong(pointer, 'must be an object');
      const stranger = Object.keys(given).find((name) => !Object.hasOwn(members, name));
      if (stranger !== undefined) return wrong(`${pointer}/${escaped(stranger)}`, 'is not a member of this format');
      const value: Record<string, unknown> = {};
      for (const [name, shape] of shapes) {
        if (!Object.hasOwn(given, name)) return wrong(`${pointer}/${name}`, 'is missing');
        const read = shape.read(given[name], `${pointer}/${name}`);
        if (!read.ok) return read;
        value[name] = read.value;
      }
      return ok(value as Value);
    },
    write(value) {
      const written: Record<string, unknown> = {};
      for (const [name, shape] of shapes) {
        written[name] = shape.write((value as Readonly<Record<string, unknown>>)[name]);
      }
      return written;
    },
    schema: {
      type: 'object', additionalProperties: false, required: shapes.map(([name]) => name),
      properties: Object.fromEntries(shapes.map(([name, shape]) => [name, shape.schema])),
    },
  };
}

/** One of several objects, told apart by their member `kind`. */
export function byKind<Value extends { readonly kind: string }>(
  shapes: { readonly [Kind in Value['kind']]: Shape<Extract<Value, { readonly kind: Kind }>> },
): Shape<Value> {
  const shapeOf = (kind: unknown): Shape<Value> | undefined =>
    (typeof kind === 'string' && Object.hasOwn(shapes, kind)
      ? (shapes as unknown as Readonly<Record<string, Shape<Value>>>)[kind] : undefined);
  return {
    read(given, pointer) {
      if (!isRecord(given)) return wrong(pointer, 'must be an object');
      const shape = shapeOf(given['kind']);
      return shape ? shape.read(given, pointer) : wrong(`${pointer}/kind`, `must be ${Object.keys(shapes).join(', ')}`);
    },
    write(value) {
      const shape = shapeOf(value.kind);
      if (!shape) throw new TypeError(`no shape for ${value.kind}`);
      return shape.write(value);
    },
    schema: { oneOf: Object.values<{ readonly schema: JsonSchema }>(shapes).map(({ schema }) => schema) },
  };
}

export function isRecord(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
