/** Value of each ASCII code as a hexadecimal digit; -1 for everything else. */
const values = new Int8Array(128).fill(-1);
for (const [index, digit] of [...'0123456789abcdef'].entries()) {
  values[digit.charCodeAt(0)] = index;
  values[digit.toUpperCase().charCodeAt(0)] = index;
}

/** Value of a character code as a hexadecimal digit, -1 when it is none. */
export function hexDigit(code: number): number {
  return values[code] ?? -1;
}
