import { type Capture, type NotADump } from './capture.js';
import { readLspciText, salvageLspciText } from './read-lspci-text.js';

/** The rows of a dump: byte n has the value n modulo 256. */
function rows(bytes: number, from = 0): string {
  const lines: string[] = [];
  for (let offset = from; offset < bytes; offset += 16) {
    const row = Array.from({ length: Math.min(16, bytes - offset) }, (_, index) => hex((offset + index) & 0xff));
    lines.push(`${hex(offset)}: ${row.join(' ')}`);
  }
  return `${lines.join('\n')}\n`;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}

function read(text: string): readonly Capture[] {
  const given = readLspciText(text);
  if (!given.ok) throw new Error(JSON.stringify(given.refusal));
  return given.value;
}

function problemOf(text: string): NotADump | undefined {
  const given = readLspciText(text);
  return given.ok ? undefined : given.refusal;
}

const summary = (captures: readonly Capture[]) =>
  captures.map(({ address, title, space }) => [address, title, space.capturedBytes]);

describe('a dump', () => {
  it.each([64, 256, 4096])('of %i bytes is read byte for byte', (bytes) => {
    const [capture] = read(`00:1f.3 Audio device: Intel\n${rows(bytes)}`);
    expect(capture?.space.toBytes()).toEqual(Uint8Array.from({ length: bytes }, (_, index) => index & 0xff));
    expect(summary(read(`00:1f.3 Audio device: Intel\n${rows(bytes)}`)))
      .toEqual([['0000:00:1f.3', 'Audio device: Intel', bytes]]);
  });

  it('may hold many functions, with or without empty lines between them, and segments', () => {
    const text = `00:00.0 Host\n${rows(256)}\n\n0001:02:03.4 Net\n${rows(64)}10000:e1:00.0 Nvm\n${rows(4096)}`;
    expect(summary(read(text))).toEqual([
      ['0000:00:00.0', 'Host', 256], ['0001:02:03.4', 'Net', 64], ['10000:e1:00.0', 'Nvm', 4096],
    ]);
  });

  it('may have CRLF line ends', () => {
    expect(summary(read(`00:00.0 Host\r\n${rows(256)}\r\n01:00.0 Net\n${rows(64)}`.replaceAll('\n', '\r\n'))))
      .toEqual([['0000:00:00.0', 'Host', 256], ['0000:01:00.0', 'Net', 64]]);
  });

  it('may lack a title, and the last line end', () => {
    expect(summary(read(`00:00.0\n${rows(64).trimEnd()}`))).toEqual([['0000:00:00.0', '', 64]]);
  });

  it('may be the output of lspci -vvvxxxx: the tree before the rows is passed over', () => {
    const tree = '\tSubsystem: Device 1234:5678\n\tCapabilities: [40] Power Management version 3\n\t\tFlags: PMEClk-\n';
    expect(summary(read(`00:00.0 Host\n${tree}${rows(256)}`))).toEqual([['0000:00:00.0', 'Host', 256]]);
  });

  it('may stop early, even inside a row: a truncated capture', () => {
    expect(summary(read(`00:00.0 Host\n${rows(0x113)}`))).toEqual([['0000:00:00.0', 'Host', 0x113]]);
  });

  it('may use upper-case digits, and tabs or more spaces between bytes', () => {
    const text = `00:00.0 Host\n${rows(64).toUpperCase().replaceAll(' ', '\t  ')}`;
    expect(summary(read(text))).toEqual([['0000:00:00.0', 'Host', 64]]);
  });
});

describe('a broken dump is refused with line and column', () => {
  const cases: readonly (readonly [string, string, number, number, string])[] = [
    ['an empty text', '', 1, 1, 'no function in the text'],
    ['only empty lines', '\n\n\n', 3, 1, 'no function in the text'],
    ['a missing row', `00:00.0 Host\n${rows(0x20)}${rows(0x40, 0x30)}`, 4, 1, 'expected row 20, found row 30'],
    ['a repeated row', `00:00.0 Host\n${rows(0x20)}${rows(0x20, 0x10)}`, 4, 1, 'expected row 20, found row 10'],
    ['a row behind a short row', `00:00.0 Host\n${rows(0x18)}${rows(0x30, 0x20)}`, 4, 1,
      'expected no row behind one of 8 bytes, found row 20'],
    ['a byte of one digit', '00:00.0 Host\n00: 00 1 22\n', 2, 8, 'not a byte of two hexadecimal digits'],
    ['a byte of three digits', '00:00.0 Host\n00: 00 111 22\n', 2, 8, 'not a byte of two hexadecimal digits'],
    ['a letter that is no digit', '00:00.0 Host\n00: 0g\n', 2, 5, 'not a byte of two hexadecimal digits'],
    ['a cut last byte', '00:00.0 Host\n00: 00 1', 2, 8, 'not a byte of two hexadecimal digits'],
    ['more than 16 bytes in a row', `00:00.0 Host\n00:${' 00'.repeat(17)}\n`, 2, 53, 'more than 16 bytes in a row'],
    ['bytes behind 0xfff', `00:00.0 Host\n${rows(4096)}1000: 00\n`, 258, 1,
      'neither a `bb:dd.f` line nor a row of bytes'],
    ['bytes before any function', rows(64), 1, 1, 'bytes before any `bb:dd.f` line'],
    ['bytes behind an empty line', `00:00.0 Host\n${rows(64)}\n${rows(80, 64)}`, 7, 1,
      'bytes before any `bb:dd.f` line'],
    ['a function of fewer than 64 bytes', `\n00:00.0 Host\n${rows(48)}`, 2, 1,
      '0000:00:00.0 has 48 bytes; a function has 64 to 4096 bytes'],
    ['a function without rows', '00:00.0 Host\n\n01:00.0 Net\n', 1, 1,
      '0000:00:00.0 has 0 bytes; a function has 64 to 4096 bytes'],
    ['text that is no dump', 'hello\n', 1, 1, 'neither a `bb:dd.f` line nor a row of bytes'],
    ['a device above 1f', `00:20.0 Host\n${rows(64)}`, 1, 1, 'neither a `bb:dd.f` line nor a row of bytes'],
  ];

  it.each(cases)('%s', (_, text, line, column, problem) => {
    expect(problemOf(text)).toEqual({ kind: 'not-a-dump', line, column, problem });
  });

  it('names the first of several problems', () => {
    expect(problemOf(`00:00.0 Host\n${rows(48)}\n00: zz\n`)?.line).toBe(1);
  });
});

describe('salvaging', () => {
  it('keeps the functions that are whole in themselves and reports the others', () => {
    const text = `00:00.0 Host\n${rows(256)}\n01:00.0 Broken\n00: zz\n10: yy\n\n02:00.0 Net\n${rows(64)}`;
    const { captures, problems } = salvageLspciText(text);
    expect(summary(captures)).toEqual([['0000:00:00.0', 'Host', 256], ['0000:02:00.0', 'Net', 64]]);
    expect(problems).toEqual([
      { kind: 'not-a-dump', line: 20, column: 5, problem: 'not a byte of two hexadecimal digits' },
    ]);
  });

  it('gives up a function with a strange line inside it, rather than cut it short', () => {
    const { captures, problems } = salvageLspciText(`00:00.0 Host\n${rows(64)}# note\n${rows(256, 64)}\n`);
    expect(captures).toEqual([]);
    expect(problems.map(({ line }) => line)).toEqual([6]);
  });

  it('keeps a function before a strange line that stands apart', () => {
    const { captures, problems } = salvageLspciText(`00:00.0 Host\n${rows(64)}\n# note\n\n01:00.0 Net\n${rows(64)}`);
    expect(summary(captures).map(([address]) => address)).toEqual(['0000:00:00.0', '0000:01:00.0']);
    expect(problems.map(({ line }) => line)).toEqual([7]);
  });

  it('reports a text without any function', () => {
    expect(salvageLspciText('')).toEqual({
      captures: [], problems: [{ kind: 'not-a-dump', line: 1, column: 1, problem: 'no function in the text' }],
    });
  });

  it('agrees with strict reading where nothing is wrong', () => {
    const text = `00:00.0 Host\n${rows(256)}\n01:00.0 Net\n${rows(4096)}`;
    expect(salvageLspciText(text)).toEqual({ captures: read(text), problems: [] });
  });
});
