import {
  ByteRange, type Capability, type Capture, decode, type DecodedField, survey,
} from '@cadastre/config-space';
import { hex, paint } from '../terminal.js';
import { holds, type JsonOptions } from './decoded-json.js';

export interface TreeOptions extends JsonOptions {
  /** Capabilities without their registers. */
  readonly brief?: boolean;
}

/** One function as a tree, in the manner of `lspci -vvv`. */
export function decodedTree({ address, title, space }: Capture, { at, brief, role }: TreeOptions = {}): string {
  const { header, capabilities, gaps, findings } = survey(space, role);
  const id = (value: number): string => value.toString(16).padStart(4, '0');
  const model = `${id(header.vendorId)}:${id(header.deviceId)}`;
  const name = `${model} class ${hex(header.classCode, 6)} rev ${header.revision.toString(16).padStart(2, '0')}`;
  const free = gaps.filter((one) => one.zero).reduce((sum, one) => sum + one.length, 0);
  const shown = capabilities.filter((one) => holds(one, at));
  return [
    `${paint('bold', address)} ${title}`.trimEnd(),
    `  ${name}, ${space.capturedBytes} of ${space.size} bytes captured`,
    ...shown.flatMap((one) => [line(one), ...(brief ? [] : registerLines(decode(space, one)))]),
    ...(at === undefined ? [
      `  ${gaps.length} ${gaps.length === 1 ? 'gap' : 'gaps'}, ${free} bytes in gaps that read all zero`,
      ...findings.map((one) => `  ${paint('yellow', `! ${tellFinding(one)}`)}`),
    ] : []),
  ].join('\n');
}

function line({ space, offset, length, version, row, opaque }: Capability): string {
  const from = offset.toString(16).padStart(space === 'standard' ? 2 : 3, '0');
  const at = `[${from}${space === 'extended' ? ` v${version}` : ''}]`;
  const extent = opaque ? `${ByteRange.show({ offset, length })}, length not told` : ByteRange.show({ offset, length });
  return `  ${at.padEnd(9)} ${paint('cyan', row.name.padEnd(8))} ${row.title} ${paint('gray', `(${extent})`)}`;
}

/** Characters of one line of fields, so that a terminal of 120 columns shows it whole. */
const lineWidth = 100;

/** The fields of each register, one-bit ones as `name+` or `name-`, marked `?` where no source confirms them. */
function registerLines(fields: readonly DecodedField[]): readonly string[] {
  const byRegister = Map.groupBy(fields, (one) => one.register);
  return [...byRegister].flatMap(([register, own]) => {
    const lines: string[] = [];
    let open = `${register}:`;
    for (const one of own) {
      const told = tellField(one);
      if (open.length + told.length + 1 > lineWidth) {
        lines.push(open);
        open = ' ';
      }
      open += ` ${told}`;
    }
    return [...lines, open].map((text) => `            ${text}`);
  });
}

function tellField({ name, width, value, confirmed }: DecodedField): string {
  const mark = confirmed ? '' : '?';
  return width === 1 ? `${name}${mark}${value ? '+' : '-'}` : `${name}${mark}=${hex(value)}`;
}

/** A finding's kind and its numbers; offsets, pointers and lengths as people write them. */
export function tellFinding({ kind, ...numbers }: { readonly kind: string }): string {
  const told = Object.entries(numbers).map(([name, value]) =>
    `${name} ${typeof value === 'number' ? hex(value) : String(value)}`);
  return [kind, ...told].join(' ');
}
