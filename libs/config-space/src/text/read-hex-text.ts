import { extendedSizeBytes } from '../config-space.js';
import { ok, refuse, type Result } from '../result.js';
import { type NotADump } from './capture.js';
import { hexDigit } from './hex-digit.js';

const newLine = 0x0a;

/** Reads bytes written as pairs of hexadecimal digits, white space anywhere between them; at most 4096 bytes. */
export function readHexText(text: string): Result<Uint8Array, NotADump> {
  const bytes = new Uint8Array(extendedSizeBytes);
  let filled = 0;
  let line = 1;
  let lineStart = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (isWhiteSpace(code)) {
      at += 1;
      if (code === newLine) {
        line += 1;
        lineStart = at;
      }
      continue;
    }
    const column = at - lineStart + 1;
    const high = hexDigit(code);
    const low = at + 1 < text.length ? hexDigit(text.charCodeAt(at + 1)) : -1;
    if (high < 0 || low < 0) {
      return refuse({ kind: 'not-a-dump', line, column, problem: 'not a byte of two hexadecimal digits' });
    }
    if (filled === extendedSizeBytes) {
      return refuse({ kind: 'not-a-dump', line, column, problem: `more than ${extendedSizeBytes} bytes` });
    }
    bytes[filled] = high * 16 + low;
    filled += 1;
    at += 2;
  }
  return ok(bytes.slice(0, filled));
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
