import { bits, choose } from '../catalogue/length-term.js';
import { type Field, type RegisterBlock } from './field.js';

/** "Resizable BAR Capability Register" and "Resizable BAR Control Register", one pair for each BAR. */
const resizableBar = {
  supportedSizes:        [0x00, 4, 4, 28, 'RO'],   // bit n: 1 MiB << n
  barIndex:              [0x04, 4, 0, 3, 'RO'],
  numberOfResizableBars: [0x04, 4, 5, 3, 'RO'],    // in the first pair only
  barSize:               [0x04, 4, 8, 5, 'RW'],    // 1 MiB << value
  supportedSizesUpper:   [0x04, 4, 16, 16, 'RO', 'UNCONFIRMED'],
} as const satisfies Record<string, Field>;

const barCount = bits(0x08, 4, 5, 3);

/** Resizable BAR and VF Resizable BAR. PCIe Base Specification, "Resizable BAR Extended Capability". */
export const resizableBarRegisters: readonly RegisterBlock[] = [
  { name: 'bar', fields: resizableBar, from: 4, count: choose(barCount, { 7: 0 }, barCount), size: 8 },
];
