import { readFileSync } from 'node:fs';
import { Bdf, type Capture, ConfigSpace, readHexText, readLspciText } from '@cadastre/config-space';
import { CommandFailed, exitCode } from '../exit-code.js';

/** Functions of a file or, for `-`, of standard input: text of lspci, hex digits, or raw bytes. */
export function readDump(file: string): readonly Capture[] {
  return readCaptures(readInput(file));
}

function readInput(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? process.stdin.fd : file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new CommandFailed(missing ? exitCode.notFound : exitCode.io, `cannot read ${file}: ${reason}`);
  }
}

/** A dump without an address is function 00:00.0 of nowhere. */
const nowhere = Bdf.from('0000:00:00.0');

/** Text that begins like a dump is one; digits and white space are hex; anything else is raw bytes. */
function readCaptures(input: Buffer): readonly Capture[] {
  const text = input.toString('latin1');
  if (/^[0-9a-fA-F\s]+$/.test(text)) {
    const bytes = readHexText(text);
    if (!bytes.ok) throw notReadable(bytes.refusal.line, bytes.refusal.column, bytes.refusal.problem);
    return [bare(bytes.value)];
  }
  if (input.some(isControl)) return [bare(input)];
  const captures = readLspciText(input.toString('utf8'));
  if (!captures.ok) throw notReadable(captures.refusal.line, captures.refusal.column, captures.refusal.problem);
  return captures.value;
}

/** Control characters other than white space do not occur in text. */
function isControl(byte: number): boolean {
  return byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d;
}

function bare(bytes: Uint8Array): Capture {
  const space = ConfigSpace.fromCapture(bytes);
  if (!space.ok) {
    const { sizeBytes, limit } = space.refusal;
    throw new CommandFailed(exitCode.negative, `${sizeBytes} bytes are no config space: allowed is ${limit}`);
  }
  if (!nowhere.ok) throw new Error('0000:00:00.0 is an address');
  return { address: nowhere.value, title: '', space: space.value };
}

function notReadable(line: number, column: number, problem: string): CommandFailed {
  return new CommandFailed(exitCode.negative, `not a dump: line ${line}, column ${column}: ${problem}`);
}
