import { decode, type Survey } from '@cadastre/config-space';
import { type OracleCapability } from './oracle.js';
import { type OracleLine } from './oracle-line.js';
import { oracleRegisters } from './oracle-registers.js';

export interface Agreement {
  /** Fields both read and gave the same value. */
  equal: number;
  /** `file offset register.field: ours, not theirs`. */
  readonly different: string[];
}

/** Compares every register the oracle printed with the decoded one; what it did not print is not compared. */
export function compareRegisters(
  of: Survey, theirs: readonly OracleCapability[], where: string, tally: Map<string, Agreement>,
): void {
  for (const capability of of.capabilities) {
    const printed = theirs.find(({ offset, version }) =>
      offset === capability.offset && (version === null) === (capability.space === 'standard'));
    const lines = oracleRegisters[capability.space][capability.id];
    if (printed === undefined || lines === undefined) continue;
    const values = new Map(decode(of.space, capability).map(({ register, name, value }) => [`${register}.${name}`,
      value]));
    const agreement = tally.get(capability.row.name) ?? { equal: 0, different: [] };
    tally.set(capability.row.name, agreement);
    for (const line of lines) {
      for (const { field, expected, shown } of readLine(line, printed)) {
        const value = values.get(field);
        const ours = value === undefined ? undefined : shown(value);
        if (ours === expected) agreement.equal += 1;
        else agreement.different.push(`${where} ${capability.offset.toString(16)} ${field}: ${ours}, not ${expected}`);
      }
    }
  }
}

interface Printed {
  readonly field: string;
  readonly expected: number;
  readonly shown: (value: number) => number;
}

const asIs = (value: number): number => value;

function readLine(line: OracleLine, printed: OracleCapability): readonly Printed[] {
  const text = line.label === 'title' ? printed.title : printed.lines.get(line.label);
  // `!!! ...` is what lspci prints where it found a value it does not know; `Not readable` where nothing was captured.
  if (text === undefined) return [];
  const found: Printed[] = [];
  for (const [flag, field] of Object.entries(line.flags ?? {})) {
    const sign = new RegExp(`(?:^|[\\s,(|])${flag.replace(/[.*+?^${}()|[\]\\]/g,
      '\\$&')}([+-])(?=$|[\\s,;)])`).exec(text)?.[1];
    if (sign !== undefined) found.push({ field, expected: sign === '+' ? 1 : 0, shown: asIs });
  }
  for (const { pattern, field, base = 10, shown = asIs } of line.numbers ?? []) {
    const digits = pattern.exec(text)?.[1]?.replaceAll('-', '');
    if (digits !== undefined) found.push({ field, expected: base === 16 ? parseInt(digits, 16) : Number(digits),
      shown });
  }
  return found;
}

/** The tally as a table, one row for each capability type. */
export function agreementTable(tally: ReadonlyMap<string, Agreement>): string {
  const rows = [...tally].sort(([a], [b]) => a.localeCompare(b)).map(([name, { equal, different }]) =>
    `${name.padEnd(10)}${String(equal).padStart(8)}${String(different.length).padStart(10)}`);
  return ['capability   equal different', ...rows].join('\n');
}
