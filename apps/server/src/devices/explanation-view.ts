import { type ByteExplanation, explainByte } from '@cadastre/device-layout';
import { type RecordedLayout } from '@cadastre/ledger';
import { EdgeProblem } from '../problems/edge-problem.js';

/** Everything there is to say about one byte, as data and in words. Refuses an offset the layout does not have. */
export function explanationView({ document, events }: RecordedLayout, byte: unknown): ByteExplanation {
  const isOffset = typeof byte === 'string' && /^(0x[0-9a-fA-F]{1,4}|\d{1,5})$/.test(byte);
  const told = isOffset ? explainByte(document, Number(byte), events) : undefined;
  if (told) return told;
  const most = `0x${(document.configSize - 1).toString(16)}`;
  throw EdgeProblem.field('/byte', isOffset ? byte : null, `an offset in 0x0..${most}, in hexadecimal or decimal`,
    'no byte of the layout');
}
