import { isUtf8 } from 'node:buffer';
import {
  Bdf, type Capture, ConfigSpace, type NotADump, readHexText, readLspciText, salvageLspciText,
} from '@cadastre/config-space';
import { CommandFailed, exitCode } from '../exit-code.js';
import { hex, say } from '../terminal.js';
import { readInput } from './read-input.js';

/** A dump without an address is function 00:00.0 of nowhere. */
const nowhere = Bdf.from('0000:00:00.0');

/**
 * The functions in a file, or in standard input for `-`: lspci text, hex digits, or raw bytes as sysfs has them.
 * Lenient keeps the functions that are whole in themselves and says on stderr what it left out.
 */
export function readCaptures(file: string, lenient = false): readonly Capture[] {
  return capturesIn(readInput(file), lenient);
}

/** The functions in what was read of a file. */
export function capturesIn(input: Buffer, lenient = false): readonly Capture[] {
  const text = textOf(input);
  if (text === undefined) return [bare(input)];
  if (/^[0-9a-fA-F\s]+$/.test(text)) {
    const bytes = readHexText(text);
    if (!bytes.ok) throw new CommandFailed(exitCode.negative, tell(bytes.refusal));
    return [bare(bytes.value)];
  }
  return lenient ? salvage(text) : strict(text);
}

function strict(text: string): readonly Capture[] {
  const captures = readLspciText(text);
  if (captures.ok) return captures.value;
  // What a ledger answers when it refuses is no dump, and says better than we could what is wrong.
  const problem = /^\{.*"title":"([^"]*)".*"detail":"([^"]*)"/s.exec(text);
  if (problem) throw new CommandFailed(exitCode.negative, `the ledger answered: ${problem[1]}: ${problem[2]}`);
  throw new CommandFailed(exitCode.negative, tell(captures.refusal));
}

function salvage(text: string): readonly Capture[] {
  const { captures, problems } = salvageLspciText(text);
  for (const problem of problems) say(`left out: ${tell(problem)}`);
  if (captures.length === 0) throw new CommandFailed(exitCode.negative, 'no function could be read');
  return captures;
}

/** The input as text, without a byte order mark; undefined where it is raw bytes. */
function textOf(input: Buffer): string | undefined {
  if (input.some(isControl) || !isUtf8(input)) return undefined;
  return input.toString('utf8').replace(/^\ufeff/, '');
}

/** Control characters other than white space do not occur in text. */
function isControl(byte: number): boolean {
  return byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d;
}

function bare(bytes: Uint8Array): Capture {
  const space = ConfigSpace.fromCapture(bytes);
  if (!space.ok) {
    const { sizeBytes, limit } = space.refusal;
    const at = sizeBytes < 64 ? `ends at offset ${hex(sizeBytes)}` : `has bytes at offset ${hex(4096)} and behind`;
    throw new CommandFailed(exitCode.negative,
      `${sizeBytes} bytes are no config space: it ${at}; allowed is ${limit}`);
  }
  if (!nowhere.ok) throw new Error('0000:00:00.0 is an address');
  return { address: nowhere.value, title: '', space: space.value };
}

function tell({ line, column, problem }: NotADump): string {
  return `not a dump: line ${line}, column ${column}: ${problem}`;
}
