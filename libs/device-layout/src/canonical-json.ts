/** Nesting no event of ours comes near; deeper input is a mistake or an attack. */
const depthMax = 32;

/**
 * The one spelling of a value: RFC 8785 (JSON Canonicalization Scheme) over strings, booleans, null, safe integers,
 * arrays and plain objects; 64-bit values travel as "0x..." strings, absent is null. Throws on anything else (floats,
 * undefined, class instances, lone surrogates), since what has no canonical form must never be recorded.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > depthMax) throw new TypeError(`canonical JSON is nested deeper than ${depthMax}`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      throw new TypeError(`canonical JSON holds safe integers only, not ${value}`);
    }
    return String(value);
  }
  // Array.from: map() would step over the holes of a sparse array and leave "[,1]".
  if (Array.isArray(value)) return `[${Array.from(value, (item) => write(item, depth + 1)).join(',')}]`;
  if (!isPlainObject(value)) throw new TypeError(`canonical JSON holds plain objects, not ${kindOf(value)}`);
  const members: string[] = [];
  // RFC 8785 section 3.2.3: names in order of their UTF-16 code units, which is what sort() compares.
  for (const key of Object.keys(value).sort()) {
    if (value[key] === undefined) throw new TypeError(`canonical JSON has no undefined: ${key}; absent is null`);
    members.push(`${writeString(key)}:${write(value[key], depth + 1)}`);
  }
  return `{${members.join(',')}}`;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** `[object Date]`, `[object Undefined]`, `[object BigInt]`. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

function writeString(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('canonical JSON holds no lone surrogates');
  return JSON.stringify(value);
}
