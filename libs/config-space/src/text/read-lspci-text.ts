import { Bdf } from '../bdf.js';
import { ConfigSpace, extendedSizeBytes } from '../config-space.js';
import { ok, refuse, type Result } from '../result.js';
import { type Capture, type NotADump } from './capture.js';
import { hexDigit } from './hex-digit.js';

/** Functions in one dump: a host with more than this is not a host but a mistake (256 buses of 256 functions). */
export const capturesMax = 65_536;

/** What could be read of a dump, and what could not. */
export interface Salvage {
  readonly captures: readonly Capture[];
  /** One for each function, or stretch of lines before the next function, that could not be read. */
  readonly problems: readonly NotADump[];
}

/**
 * Reads what `lspci -x`, `-xxx` and `-xxxx` print, for one function or many: a header line
 * `[dddd:]bb:dd.f text`, rows `offset: 16 bytes` from 00 on without a hole, an empty line.
 * Lines that begin with white space (the tree of `lspci -v`) are passed over. Refuses anything else, with its place.
 */
export function readLspciText(text: string): Result<readonly Capture[], NotADump> {
  const { captures, problems } = new Reading(text, 'strict').run();
  const [problem] = problems;
  return problem === undefined ? ok(captures) : refuse(problem);
}

/** Reads the same text but keeps every function that is whole in itself and reports the rest, each with its place. */
export function salvageLspciText(text: string): Salvage {
  return new Reading(text, 'lenient').run();
}

const rowBytes = 16;
const space = 0x20;
const tab = 0x09;
const carriageReturn = 0x0d;
const colonCode = 0x3a;

/** One pass over one text. Rows are read digit by digit into one buffer: no allocation, no regex per row. */
class Reading {
  private readonly captures: Capture[] = [];
  private readonly problems: NotADump[] = [];
  private readonly bytes = new Uint8Array(extendedSizeBytes);
  private open: (HeaderLine & { readonly line: number }) | undefined;
  private filled = 0;
  private line = 0;
  /** After a problem: passing over lines until the next function begins. */
  private skipping = false;

  constructor(private readonly text: string, private readonly mode: 'strict' | 'lenient') {}

  run(): Salvage {
    const { text } = this;
    for (let at = 0; at < text.length && !this.isStopped; ) {
      this.line += 1;
      const newLine = text.indexOf('\n', at);
      const end = newLine < 0 ? text.length : newLine;
      this.takeLine(at, end);
      at = end + 1;
    }
    if (!this.isStopped) this.close();
    if (this.captures.length === 0 && this.problems.length === 0) {
      this.line = Math.max(this.line, 1);
      this.report(1, 'no function in the text');
    }
    return { captures: this.captures, problems: this.problems };
  }

  private get isStopped(): boolean {
    return this.mode === 'strict' && this.problems.length > 0;
  }

  private takeLine(from: number, end: number): void {
    const first = this.text.charCodeAt(from);
    if (from === end || first === carriageReturn) {
      this.close();
      return;
    }
    const colon = this.rowColon(from, end);
    if (colon > 0) this.takeRow(from, colon, end);
    else if (first !== space && first !== tab) this.takeHeaderLine(from, end);
  }

  private takeHeaderLine(from: number, end: number): void {
    const header = readHeaderLine(this.text.slice(from, end).trimEnd());
    if (header === undefined) {
      // Inside a function this makes the function suspect, so it is given up rather than cut short.
      this.report(1, 'neither a `bb:dd.f` line nor a row of bytes');
      return;
    }
    this.close();
    if (this.isStopped) return;
    this.skipping = false;
    if (this.captures.length === capturesMax) this.report(1, `more than ${capturesMax} functions`);
    else this.open = { ...header, line: this.line };
  }

  /** Ends the function that is open, if one is. */
  private close(): void {
    const { open } = this;
    if (open === undefined) return;
    this.open = undefined;
    const given = ConfigSpace.fromCapture(this.bytes.subarray(0, this.filled));
    this.filled = 0;
    if (given.ok) {
      const { address, title, showsSegment } = open;
      this.captures.push({ address, title, space: given.value, ...(showsSegment ? { showsSegment } : {}) });
      return;
    }
    const { sizeBytes, limit } = given.refusal;
    this.report(1, `${open.address} has ${sizeBytes} bytes; a function has ${limit}`, open.line);
  }

  private takeRow(from: number, colon: number, end: number): void {
    if (this.skipping) return;
    if (this.open === undefined) {
      this.report(1, 'bytes before any `bb:dd.f` line');
      return;
    }
    let offset = 0;
    for (let at = from; at < colon; at += 1) offset = offset * 16 + hexDigit(this.text.charCodeAt(at));
    if (offset !== this.filled) {
      const rest = this.filled % rowBytes;
      const expected = rest === 0 ? `row ${hex(this.filled)}` : `no row behind one of ${rest} bytes`;
      this.report(1, `expected ${expected}, found row ${hex(offset)}`);
      return;
    }
    this.takeBytes(from, colon + 1, end);
  }

  private takeBytes(lineStart: number, from: number, end: number): void {
    const { text, bytes } = this;
    const start = this.filled;
    let filled = start;
    for (let at = from; at < end; ) {
      const code = text.charCodeAt(at);
      if (isBlank(code)) {
        at += 1;
        continue;
      }
      const high = hexDigit(code);
      const low = at + 1 < end ? hexDigit(text.charCodeAt(at + 1)) : -1;
      if (high < 0 || low < 0 || (at + 2 < end && !isBlank(text.charCodeAt(at + 2)))) {
        this.report(at - lineStart + 1, 'not a byte of two hexadecimal digits');
        return;
      }
      if (filled - start === rowBytes) {
        this.report(at - lineStart + 1, `more than ${rowBytes} bytes in a row`);
        return;
      }
      if (filled === extendedSizeBytes) {
        this.report(at - lineStart + 1, 'bytes behind offset 0xfff');
        return;
      }
      bytes[filled] = high * 16 + low;
      filled += 1;
      at += 2;
    }
    this.filled = filled;
  }

  /** Where the colon of `hhh:` stands when the line begins like a row: 2 or 3 digits, colon, space. Otherwise 0. */
  private rowColon(from: number, end: number): number {
    const { text } = this;
    let colon = from;
    while (colon < end && colon - from < 3 && hexDigit(text.charCodeAt(colon)) >= 0) colon += 1;
    const isRow = colon - from >= 2 && colon + 1 < end
      && text.charCodeAt(colon) === colonCode && isBlank(text.charCodeAt(colon + 1));
    return isRow ? colon : 0;
  }

  /** Notes a problem and gives up the function it is in. */
  private report(column: number, problem: string, line = this.line): void {
    if (this.skipping) return;
    this.problems.push({ kind: 'not-a-dump', line, column, problem });
    this.open = undefined;
    this.filled = 0;
    this.skipping = true;
  }
}

function isBlank(code: number): boolean {
  return code === space || code === tab || code === carriageReturn;
}

interface HeaderLine {
  readonly address: Bdf;
  readonly title: string;
  readonly showsSegment: boolean;
}

function readHeaderLine(line: string): HeaderLine | undefined {
  const end = line.indexOf(' ');
  const written = end < 0 ? line : line.slice(0, end);
  const address = Bdf.from(written);
  if (!address.ok) return undefined;
  const title = end < 0 ? '' : line.slice(end + 1);
  return { address: address.value, title, showsSegment: written.startsWith('0000:') };
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}
