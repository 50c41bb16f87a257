import { ByteRange, type Capability, type Capture, type Finding, survey } from '@cadastre/config-space';
import { hex, paint } from '../terminal.js';

/** One function as a tree, in the manner of `lspci -vvv`. */
export function decodedTree({ address, title, space }: Capture): string {
  const { header, capabilities, gaps, findings } = survey(space);
  const id = (value: number): string => value.toString(16).padStart(4, '0');
  const model = `${id(header.vendorId)}:${id(header.deviceId)}`;
  const name = `${model} class ${hex(header.classCode, 6)} rev ${header.revision.toString(16).padStart(2, '0')}`;
  const free = gaps.filter((one) => one.zero).reduce((sum, one) => sum + one.length, 0);
  return [
    `${paint('bold', address)} ${title}`.trimEnd(),
    `  ${name}, ${space.capturedBytes} of ${space.size} bytes captured`,
    ...capabilities.map(line),
    `  ${gaps.length} gaps, ${free} bytes in gaps that read all zero`,
    ...findings.map((one) => `  ${paint('yellow', `! ${finding(one)}`)}`),
  ].join('\n');
}

function line({ space, offset, length, version, row, opaque }: Capability): string {
  const from = offset.toString(16).padStart(space === 'standard' ? 2 : 3, '0');
  const at = `[${from}${space === 'extended' ? ` v${version}` : ''}]`;
  const extent = opaque ? `${ByteRange.show({ offset, length })}, length not told` : ByteRange.show({ offset, length });
  return `  ${at.padEnd(9)} ${paint('cyan', row.name.padEnd(8))} ${row.title} ${paint('gray', `(${extent})`)}`;
}

/** A finding's kind and its numbers; offsets, pointers and lengths as people write them. */
function finding({ kind, ...numbers }: Finding): string {
  const told = Object.entries(numbers).map(([name, value]) =>
    `${name} ${typeof value === 'number' ? hex(value) : String(value)}`);
  return [kind, ...told].join(' ');
}
