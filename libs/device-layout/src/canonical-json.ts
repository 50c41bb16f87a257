/** Nesting no event of ours comes near; deeper input is a mistake or an attack. */
const depthMax = 32;

/**
 * The one spelling of a value: RFC 8785 (JSON Canonicalization Scheme) over strings, booleans, null, safe integers,
 * arrays and plain objects; 64-bit values travel as "0x..." strings, absent is null. Throws on anything else (floats,
 * undefined, class instances, lone surrogates), since what has no canonical form must never be recorded.
 */
export function canonicalJson(value: unknown): string {
  const copy = { namesStay: true };
  const ordered = inOrder(value, 0, copy);
  // JSON.stringify spells every value as RFC 8785 does, ten times as fast as strings are joined; names it writes in the
  // order they were added.
  return copy.namesStay ? JSON.stringify(ordered) : written(value);
}

/** What is known of the copy that is made of a value. */
interface Copy {
  /** False once a name was met that an object does not keep where it was added. */
  namesStay: boolean;
}

/** A copy of a value whose names were added in their canonical order. Throws on what has no canonical form. */
function inOrder(value: unknown, depth: number, copy: Copy): unknown {
  if (depth > depthMax) throw new TypeError(`canonical JSON is nested deeper than ${depthMax}`);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      throw new TypeError(`canonical JSON holds safe integers only, not ${value}`);
    }
    return value;
  }
  if (Array.isArray(value)) return listInOrder(value, depth, copy);
  if (!isPlainObject(value)) throw new TypeError(`canonical JSON holds plain objects, not ${kindOf(value)}`);
  return objectInOrder(value, depth, copy);
}

function listInOrder(items: readonly unknown[], depth: number, copy: Copy): readonly unknown[] {
  const ordered: unknown[] = [];
  // By index: map() would step over the holes of a sparse array, which are undefined and no null.
  for (let index = 0; index < items.length; index += 1) ordered.push(inOrder(items[index], depth + 1, copy));
  return ordered;
}

function objectInOrder(value: Readonly<Record<string, unknown>>, depth: number, copy: Copy): object {
  const ordered: Record<string, unknown> = {};
  for (const name of sorted(Object.keys(value))) {
    const member = value[name];
    if (member === undefined) throw new TypeError(`canonical JSON has no undefined: ${name}; absent is null`);
    wellFormed(name);
    const checked = inOrder(member, depth + 1, copy);
    if (stays(name)) ordered[name] = checked;
    else copy.namesStay = false;
  }
  return ordered;
}

/** More names than any event of ours has in one object; the time of the loop below grows with their square. */
const fewNamesMax = 16;

/** RFC 8785 section 3.2.3: names in order of their UTF-16 code units, which is what `>` and sort() compare. */
function sorted(names: string[]): readonly string[] {
  if (names.length > fewNamesMax) return names.sort();
  // An insertion sort: of a handful of names it is done before sort() has begun.
  for (let index = 1; index < names.length; index += 1) {
    const name = names[index] ?? '';
    let at = index;
    for (; at > 0 && (names[at - 1] ?? '') > name; at -= 1) names[at] = names[at - 1] ?? '';
    names[at] = name;
  }
  return names;
}

/** An object lists names that are numbers before all others, whenever they were added; `__proto__` is added to none. */
function stays(name: string): boolean {
  const first = name.charCodeAt(0);
  const startsWithDigit = first >= 0x30 && first <= 0x39;
  return !(startsWithDigit && /^\d+$/.test(name)) && name !== '__proto__';
}

/** The same text for any names, of a value that was found to have a canonical form. */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(',')}]`;
  if (!isPlainObject(value)) return JSON.stringify(value);
  const members = sorted(Object.keys(value)).map((name) => `${JSON.stringify(name)}:${written(value[name])}`);
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

function wellFormed(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('canonical JSON holds no lone surrogates');
  return value;
}
