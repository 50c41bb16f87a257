import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Makes `directory` and what is missing above it, so that a power loss right after cannot take them away again. */
export function makeDurableDirectory(directory: string): void {
  const firstMade = mkdirSync(directory, { recursive: true });
  if (firstMade === undefined) return;
  const top = dirname(resolve(firstMade));
  for (let made = resolve(directory); made !== top; made = dirname(made)) syncDirectory(dirname(made));
}

/** Puts the names in `directory` on stable storage: syncing a file keeps its bytes, not its name. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
