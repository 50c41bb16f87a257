import { hash } from 'node:crypto';

/** SHA-256 of these bytes, or of this text as UTF-8, in lower-case hexadecimal. */
export function sha256Hex(input: Uint8Array | string): string {
  return hash('sha256', input);
}
