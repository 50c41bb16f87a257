import { hash } from 'node:crypto';

/** SHA-256 of this text as UTF-8, in lower-case hexadecimal. */
export function sha256Hex(text: string): string {
  return hash('sha256', text);
}
