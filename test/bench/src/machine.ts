import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { median, medianMicros } from './measure.js';

export interface Machine {
  readonly cpu: string;
  readonly fdatasyncMicros: number;
  readonly sha256Micros: number;
}

/** What this machine does in the same run, so that figures of other machines can be compared. */
export function probeMachine(): Machine {
  const block = Buffer.alloc(4096, 7);
  return {
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`,
    fdatasyncMicros: fdatasyncMicros(),
    sha256Micros: medianMicros(() => createHash('sha256').update(block).digest(), 7, 30),
  };
}

/** Median of 500 times 2 KiB written and made durable, at the end of a growing file. */
function fdatasyncMicros(): number {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-bench-'));
  const file = openSync(join(folder, 'probe'), 'w');
  const block = Buffer.alloc(2048, 7);
  const times: number[] = [];
  for (let index = 0; index < 500; index += 1) {
    const start = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    times.push((performance.now() - start) * 1000);
  }
  closeSync(file);
  rmSync(folder, { recursive: true });
  return median(times);
}
