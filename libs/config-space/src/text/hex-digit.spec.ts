import { hexDigit } from './hex-digit.js';

describe('a hexadecimal digit', () => {
  it('is 0-9, a-f and A-F, and no other of all character codes', () => {
    for (let code = 0; code <= 0xffff; code += 1) {
      const expected = /^[0-9a-fA-F]$/.test(String.fromCharCode(code)) ? parseInt(String.fromCharCode(code), 16) : -1;
      if (hexDigit(code) !== expected) throw new Error(`code ${code}: ${hexDigit(code)}, not ${expected}`);
    }
  });
});
