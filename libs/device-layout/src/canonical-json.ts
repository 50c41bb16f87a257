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
  return wellFormed(copy.namesStay ? JSON.stringify(ordered) : written(value));
}

type PlainObject = Readonly<Record<string, unknown>>;

/** What is known of the copy that is made of a value. */
interface Copy {
  /** False once a name was met that an object does not keep where it was added. */
  namesStay: boolean;
}

/**
 * The value when all of its names stand in their canonical order, otherwise a copy to which they were added in it; what
 * is in order is shared. Throws on what has no canonical form.
 */
function inOrder(value: unknown, depth: number, copy: Copy): unknown {
  if (depth > depthMax) throw new TypeError(`canonical JSON is nested deeper than ${depthMax}`);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return value;
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
  let ordered: unknown[] | undefined;
  // By index: map() would step over the holes of a sparse array, which are undefined and no null.
  for (let index = 0; index < items.length; index += 1) {
    const checked = inOrder(items[index], depth + 1, copy);
    if (!ordered && checked !== items[index]) ordered = items.slice(0, index);
    ordered?.push(checked);
  }
  return ordered ?? items;
}

function objectInOrder(value: PlainObject, depth: number, copy: Copy): object {
  if (!namesAscend(value)) return withNamesSorted(value, depth, copy);
  let ordered: Record<string, unknown> | undefined;
  for (const name in value) {
    const checked = memberInOrder(value, name, depth, copy);
    if (!ordered && checked !== value[name]) ordered = membersBefore(value, name, copy);
    if (ordered && Object.hasOwn(value, name)) put(ordered, name, checked, copy);
  }
  return ordered ?? value;
}

function withNamesSorted(value: PlainObject, depth: number, copy: Copy): object {
  const ordered: Record<string, unknown> = {};
  for (const name of sorted(Object.keys(value))) put(ordered, name, memberInOrder(value, name, depth, copy), copy);
  return ordered;
}

function memberInOrder(value: PlainObject, name: string, depth: number, copy: Copy): unknown {
  const member = value[name];
  if (member === undefined) throw new TypeError(`canonical JSON has no undefined: ${name}; absent is null`);
  return inOrder(member, depth + 1, copy);
}

function membersBefore(value: PlainObject, end: string, copy: Copy): Record<string, unknown> {
  const ordered: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    if (name === end) break;
    put(ordered, name, value[name], copy);
  }
  return ordered;
}

function put(ordered: Record<string, unknown>, name: string, member: unknown, copy: Copy): void {
  if (stays(name)) ordered[name] = member;
  else copy.namesStay = false;
}

// A loop over the names, where Object.keys() would make a list: most values come from canonical JSON and need none.
function namesAscend(value: PlainObject): boolean {
  let last = '';
  for (const name in value) {
    if (name < last) return false;
    last = name;
  }
  return true;
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

function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** `[object Date]`, `[object Undefined]`, `[object BigInt]`. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

/** What JSON.stringify makes of half a surrogate pair, which has no UTF-8. Text may also hold it as six characters. */
const loneSurrogate = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

function wellFormed(text: string): string {
  if (text.includes('\\ud') && loneSurrogate.test(text)) {
    throw new TypeError('canonical JSON holds no lone surrogates');
  }
  return text;
}
