import { InvalidArgumentError } from 'commander';
import { flavourOf, kernelReleaseOf, ledgerUrlOf, momentOf, offsetOf, pasidLog2Of, portOf, roleOf } from './options.js';

describe('an option', () => {
  it.each([
    [portOf, '0', 0], [portOf, '65535', 65_535], [pasidLog2Of, '0', 0], [pasidLog2Of, '20', 20],
    [offsetOf, '0x100', 0x100], [offsetOf, '256', 256], [offsetOf, '0xfff', 0xfff],
    [kernelReleaseOf, '7.2.13-amd64', '7.2.13-amd64'], [flavourOf, 'nvidia', 'nvidia'], [roleOf, 'vf', 'vf'],
    [ledgerUrlOf, 'http://x:1', 'http://x:1'],
  ] as const)('%p takes %s', (parse, given, value) => {
    expect(parse(given)).toBe(value);
  });

  it.each([
    [portOf, '65536'], [portOf, '-1'], [portOf, '1e3'], [portOf, ''], [pasidLog2Of, '21'], [pasidLog2Of, '1.5'],
    [offsetOf, '0x1000'], [offsetOf, '4096'], [offsetOf, '100h'], [kernelReleaseOf, 'seven'], [flavourOf, 'vanilla'],
    [roleOf, 'king'], [momentOf, 'yesterday'], [ledgerUrlOf, 'foo'], [ledgerUrlOf, 'ftp://x'],
  ] as const)('%p refuses %s', (parse, given) => {
    expect(() => parse(given)).toThrow(InvalidArgumentError);
  });
});
