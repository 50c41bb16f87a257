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
  if (Array.isArray(value)) return writeList(value, depth);
  if (!isPlainObject(value)) throw new TypeError(`canonical JSON holds plain objects, not ${kindOf(value)}`);
  return writeObject(value, depth);
}

// One text that grows: lists of members to join took as long as everything else.
function writeList(items: readonly unknown[], depth: number): string {
  let text = '[';
  // By index: map() would step over the holes of a sparse array and leave "[,1]".
  for (let index = 0; index < items.length; index += 1) {
    text += (index === 0 ? '' : ',') + write(items[index], depth + 1);
  }
  return `${text}]`;
}

function writeObject(value: Readonly<Record<string, unknown>>, depth: number): string {
  let text = '{';
  // RFC 8785 section 3.2.3: names in order of their UTF-16 code units, which is what sort() compares.
  for (const key of Object.keys(value).sort()) {
    if (value[key] === undefined) throw new TypeError(`canonical JSON has no undefined: ${key}; absent is null`);
    text += `${text === '{' ? '' : ','}${writeString(key)}:${write(value[key], depth + 1)}`;
  }
  return `${text}}`;
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
