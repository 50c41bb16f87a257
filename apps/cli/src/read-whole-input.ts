import { closeSync, openSync, readSync } from 'node:fs';
import { CommandFailed, exitCode } from './exit-code.js';
import { systemErrorCode } from './system-error.js';

/** 256 MiB: about 20,000 functions as text. More is not a dump but a mistake, such as /dev/zero. */
export const inputBytesMax = 256 * 1024 * 1024;

const chunkBytes = 64 * 1024;
/** How long to wait for a pipe whose writer has not written yet. */
const pauseMs = 5;

/** Everything in a file, or in standard input for `-`, however slowly it comes. Throws what the system throws. */
export function readWholeInput(file: string): Buffer {
  const fd = file === '-' ? 0 : openSync(file, 'r');
  try {
    return readWhole(fd, file);
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}

function readWhole(fd: number, file: string): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const count = readOrWait(fd, chunk);
    if (count === 0) return Buffer.concat(chunks);
    total += count;
    if (total > inputBytesMax) {
      throw new CommandFailed(exitCode.negative, `${file} has more than ${inputBytesMax} bytes: that is no dump`);
    }
    chunks.push(chunk.subarray(0, count));
  }
}

/** A pipe that Node made non-blocking answers EAGAIN while it is empty, which is not its end. */
function readOrWait(fd: number, into: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, into);
    } catch (error) {
      if (systemErrorCode(error) === 'EOF') return 0;
      if (systemErrorCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}
