import { type Capability, type Survey } from '@cadastre/config-space';
import { listExceptions } from './exceptions.js';
import { type OracleCapability } from './oracle.js';

export interface ListAgreement {
  equal: number;
  missing: number;
}

const shownAs = (offset: number, version: number | null): string => `${version ?? '-'}@${offset.toString(16)}`;
const ours = (of: readonly Capability[]): readonly string[] =>
  of.map(({ space, offset, version }) => shownAs(offset, space === 'standard' ? null : version));

/**
 * Compares offsets and versions, in list order, with what lspci shows; counts agreement for each capability type.
 * @returns the two lists where they differ and no exception says why
 */
export function compareLists(
  of: Survey, theirs: readonly OracleCapability[], tally: Map<string, ListAgreement>,
): { readonly ours: string; readonly theirs: string } | undefined {
  const shown = theirs.map(({ offset, version }) => shownAs(offset, version));
  for (const capability of of.capabilities) {
    const agreement = tally.get(capability.row.name) ?? { equal: 0, missing: 0 };
    tally.set(capability.row.name, agreement);
    if (ours([capability]).every((one) => shown.includes(one))) agreement.equal += 1;
    else agreement.missing += 1;
  }
  const all = ours(of.capabilities).join(' ');
  const given = shown.join(' ');
  if (all === given) return undefined;
  const standard = ours(of.capabilities.filter(({ space }) => space === 'standard')).join(' ');
  const excused = listExceptions.some(({ finding, lspci }) => of.findings.some(({ kind }) => kind === finding)
    && (lspci === 'standard-only' ? given === standard : given.startsWith(all)));
  return excused ? undefined : { ours: all, theirs: given };
}

export function listTable(tally: ReadonlyMap<string, ListAgreement>): string {
  const rows = [...tally].sort(([a], [b]) => a.localeCompare(b)).map(([name, { equal, missing }]) =>
    `${name.padEnd(14)}${String(equal).padStart(6)}${String(missing).padStart(12)}`);
  return ['capability     equal   not shown', ...rows].join('\n');
}
