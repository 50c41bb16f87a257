import { CommandFailed, exitCode } from '../exit-code.js';
import { readWholeInput } from '../read-whole-input.js';
import { messageOf, systemErrorCode } from '../system-error.js';

/** Whoever named standard input before: what was read of it is not there a second time. */
let isStdinRead = false;

/** Everything in a file, or in standard input for `-`, which has one reader. */
export function readInput(file: string): Buffer {
  if (file === '-' && isStdinRead) throw new CommandFailed(exitCode.usage, 'standard input (-) can be named once');
  isStdinRead ||= file === '-';
  try {
    return readWholeInput(file);
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    const code = systemErrorCode(error) === 'ENOENT' ? exitCode.notFound : exitCode.io;
    throw new CommandFailed(code, `cannot read ${file}: ${messageOf(error)}`);
  }
}

/** The same as text. */
export function readText(file: string): string {
  return readInput(file).toString('utf8');
}
