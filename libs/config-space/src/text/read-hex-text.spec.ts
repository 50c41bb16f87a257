import { readHexText } from './read-hex-text.js';

const problemOf = (text: string) => {
  const given = readHexText(text);
  return given.ok ? undefined : given.refusal;
};

describe('hex text', () => {
  it('is pairs of digits with white space anywhere between them', () => {
    expect(readHexText(' 0a 1B\r\n\tff00\n')).toEqual({ ok: true, value: Uint8Array.of(0x0a, 0x1b, 0xff, 0x00) });
    expect(readHexText('')).toEqual({ ok: true, value: new Uint8Array() });
  });

  it.each([
    ['0a 1', 1, 4], ['0a\n1g', 2, 1], ['0x0a', 1, 1], ['0a 1\n0', 1, 4], ['00 é0', 1, 4],
  ])('is refused when it is %j, with line and column', (text, line, column) => {
    expect(problemOf(text))
      .toEqual({ kind: 'not-a-dump', line, column, problem: 'not a byte of two hexadecimal digits' });
  });

  it('has at most 4096 bytes', () => {
    expect(readHexText('00 '.repeat(4096)).ok).toBe(true);
    expect(problemOf(`${'00 '.repeat(4096)}\n11`))
      .toEqual({ kind: 'not-a-dump', line: 2, column: 1, problem: 'more than 4096 bytes' });
  });
});
