import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';

const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
};

describe('canonical JSON', () => {
  it('has no white space and names in order', () => {
    expect(canonicalJson({ b: [1, { d: null, c: true }], a: 'x', A: false }))
      .toBe('{"A":false,"a":"x","b":[1,{"c":true,"d":null}]}');
  });

  it('orders names by UTF-16 code units, as RFC 8785 section 3.2.3 shows', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const keys = Object.keys(JSON.parse(canonicalJson(Object.fromEntries(names.map((name) => [name, 0])))) as object);
    expect(keys).toEqual(['1', '\r', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']);
    expect(canonicalJson({ '\ufb33': 1, '\u{1f600}': 2 })).toBe('{"\u{1f600}":2,"\ufb33":1}');
  });

  it('keeps names that look like numbers in the order of their characters', () => {
    expect(canonicalJson({ 10: 1, 9: 2, 1: 3 })).toBe('{"1":3,"10":1,"9":2}');
  });

  it('escapes what JSON must escape, in its shortest form, and nothing else', () => {
    expect(canonicalJson('\b\t\n\f\r"\\/\u0000\u001f\u007f\u2028\u00e9\u{1f600}'))
      .toBe('"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\u007f\u2028\u00e9\u{1f600}"');
  });

  it('does not normalise Unicode', () => {
    expect(canonicalJson('A\u030a')).toBe('"A\u030a"');
    expect(canonicalJson('A\u030a')).not.toBe(canonicalJson('\u00c5'));
  });

  it.each([[0, '0'], [-1, '-1'], [Number.MAX_SAFE_INTEGER, '9007199254740991'], [1e15, '1000000000000000'],
    [Number.MIN_SAFE_INTEGER, '-9007199254740991']])('holds the integer %p', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it('holds empty arrays, empty objects, objects without a prototype and a name like __proto__', () => {
    expect(canonicalJson([[], {}, Object.assign(Object.create(null), { a: 1 })])).toBe('[[],{},{"a":1}]');
    expect(canonicalJson(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
  });

  it.each<[string, unknown]>([
    ['a fraction', 0.5], ['an integer JSON readers round', 2 ** 53], ['its negative', -(2 ** 53)], ['-0', -0],
    ['NaN', NaN], ['Infinity', Infinity], ['a bigint', 1n], ['undefined', undefined], ['a symbol', Symbol('a')],
    ['a function', () => 1], ['an undefined member', { a: undefined }], ['an undefined item', [undefined]],
    ['a hole in an array', [, 1]], // eslint-disable-line no-sparse-arrays
    ['a Date', new Date(0)], ['a Map', new Map()], ['a Uint8Array', new Uint8Array(1)],
    ['an instance', new (class Offset { value = 1; })()], ['an object made of another', Object.create({ a: 1 })],
    ['half a surrogate pair', '\ud83d'], ['the other half', 'a\ude00b'], ['pairs the wrong way round', '\ude00\ud83d'],
    ['half a pair in a name', { '\ud83d': 1 }],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
    expect(() => canonicalJson({ a: [value] })).toThrow(TypeError);
  });

  it('names what it refuses', () => {
    expect(() => canonicalJson({ at: 1.5 })).toThrow('safe integers only, not 1.5');
    expect(() => canonicalJson({ at: undefined })).toThrow('no undefined: at; absent is null');
    expect(() => canonicalJson(new Date(0))).toThrow('plain objects, not [object Date]');
  });

  it('refuses more than 32 levels, so also what contains itself', () => {
    expect(canonicalJson(nested(32))).toBe(`${'['.repeat(32)}1${']'.repeat(32)}`);
    expect(() => canonicalJson(nested(33))).toThrow('nested deeper than 32');
    const itself: unknown[] = [];
    itself.push(itself);
    expect(() => canonicalJson(itself)).toThrow('nested deeper than 32');
  });
});

describe('any value that has canonical JSON', () => {
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ maxDepth: 6 },
      fc.string({ unit: 'grapheme' }), fc.maxSafeInteger().map((given) => given + 0), fc.boolean(), fc.constant(null),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 6 })),
  }));

  it('is spelled the same when it is read back', () => {
    fc.assert(fc.property(value, (given) => {
      const text = canonicalJson(given);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }));
  });

  it('says what JSON.stringify says, whatever the order its names were added in', () => {
    fc.assert(fc.property(value, (given) => {
      expect(JSON.parse(canonicalJson(given))).toEqual(JSON.parse(JSON.stringify(given)));
      expect(canonicalJson(backwards(given))).toBe(canonicalJson(given));
    }));
  });
});

/** RFC 8785 by the letter, one code unit after the other. */
function naive(value: unknown): string {
  if (value === null || typeof value === 'boolean') return `${value}`;
  if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)) return `${value}`;
  if (typeof value === 'string') return `"${Array.from(value, naiveCharacter).join('')}"`;
  if (Array.isArray(value)) return `[${Array.from(value, naive).join(',')}]`;
  if (typeof value !== 'object' || value instanceof Date) throw new TypeError('has no canonical form');
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${naive(name)}:${naive(member)}`);
  return `{${members.join(',')}}`;
}

const escapes = new Map([['"', '\\"'], ['\\', '\\\\'], ['\b', '\\b'], ['\t', '\\t'], ['\n', '\\n'], ['\f', '\\f'],
  ['\r', '\\r']]);

/** Of what Array.from makes of text: one code point, or a surrogate that found no other half. */
function naiveCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code <= 0xdfff) throw new TypeError('is no text');
  return escapes.get(character) ?? (code < 0x20 ? `\\u${code.toString(16).padStart(4, '0')}` : character);
}

describe('a value of any kind', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('"', '\\', '/', '\n', '\u0000', '\u001f', '\u007f', '\u00e9', '\u2028') }));
  const name = fc.oneof(text, fc.nat({ max: 20 }).map(String),
    fc.constantFrom('', '-1', '01', '1e3', '4294967294', '4294967295', '9007199254740993', '__proto__', 'toJSON',
      'constructor', ':', '/', '\ufb33', '\u{1f600}'));
  const good = fc.oneof(text, fc.maxSafeInteger().map((given) => given + 0), fc.boolean(), fc.constant(null));
  const bad = fc.oneof(fc.double(), fc.constantFrom<unknown>(-0, undefined, '\ud83d', 'a\ude00', '\ude00\ud83d',
    2 ** 53, 1n, new Date(0)));
  const tree = (leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, leaf, fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(name, tie('value')), { maxLength: 6 }).map((entries) => Object.fromEntries(entries))),
  })).value;
  const outcome = (write: (value: unknown) => string, value: unknown): string => {
    try {
      return write(value);
    } catch (error) {
      if (error instanceof TypeError) return 'is refused';
      throw error;
    }
  };

  it('is spelled as RFC 8785 says, whatever its text and its names are', () => {
    fc.assert(fc.property(tree(good), (given) => {
      expect(canonicalJson(given)).toBe(naive(given));
    }), { numRuns: 2_000 });
  });

  it('is refused exactly where something in it has no canonical form', () => {
    fc.assert(fc.property(tree(fc.oneof({ arbitrary: good, weight: 5 }, { arbitrary: bad, weight: 1 })), (given) => {
      expect(outcome(canonicalJson, given)).toBe(outcome(naive, given));
    }), { numRuns: 2_000 });
  });

  it('has its names in order, be they few or many', () => {
    fc.assert(fc.property(fc.uniqueArray(name, { maxLength: 40, size: 'max' }), (names) => {
      const given = Object.fromEntries(names.map((one, index) => [one, index]));
      expect(canonicalJson(given)).toBe(naive(given));
    }));
  });
});

function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse().map(([name, member]) => [name, backwards(member)] as const);
  return Object.fromEntries(entries);
}
