import { readSync } from 'node:fs';
import { systemErrorCode } from '../system-error.js';

const chunkBytes = 65_536;
/** How long to wait for a writer that has nothing yet. */
const pauseMs = 5;

/**
 * Everything up to the end of standard input. `readFileSync` gives up with EAGAIN where whoever started us made the
 * pipe non-blocking (npx does) and the command in front of it has not written yet.
 */
export function readStandardInput(): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(chunkBytes);
    const length = readOnce(chunk);
    if (length === 0) return Buffer.concat(chunks);
    if (length > 0) chunks.push(chunk.subarray(0, length));
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
}

/** Bytes read, 0 at the end, -1 when there are none yet. */
function readOnce(chunk: Buffer): number {
  try {
    return readSync(process.stdin.fd, chunk);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EAGAIN') return -1;
    if (code === 'EOF') return 0;
    throw error;
  }
}
