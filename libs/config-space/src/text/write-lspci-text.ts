import { type Capture } from './capture.js';

/** Writes text that `lspci -F` and `readLspciText` read. Segment 0000 is left out, as in lspci, unless it was read. */
export function writeLspciText(captures: readonly Capture[]): string {
  return captures.map(writeOne).join('\n');
}

function writeOne({ address, title, space, showsSegment }: Capture): string {
  // A title is free text of whoever made the capture: a line break in it would begin a line of its own.
  const line = title.replaceAll(/[\r\n]+/g, ' ').trimEnd();
  // The space stays behind an address without a title: lspci takes the line for no function otherwise.
  const lines = [`${showsSegment ? address : address.replace(/^0000:/, '')} ${line}`];
  const bytes = space.toBytes();
  for (let offset = 0; offset < bytes.length; offset += 16) {
    const row = Array.from(bytes.subarray(offset, offset + 16), twoDigits);
    lines.push(`${twoDigits(offset)}: ${row.join(' ')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Each byte as text, made once. */
const byteTexts: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Two digits, or three from 0x100 on. */
function twoDigits(value: number): string {
  return byteTexts[value] ?? value.toString(16);
}
