import { type ByteRange, type Header } from '@cadastre/config-space';
import { type FunctionMatch, matches } from './function-match.js';
import { type SyntheticName } from './synthetic-capability.js';

/** What is known about some functions and not written in their config space. One row of data. */
export interface QuirkRow {
  readonly name: string;
  readonly match: FunctionMatch;
  /** Bytes that hold registers, whatever they read. */
  readonly forbidden?: readonly ByteRange[];
  /** Bytes to keep out of while there is another place. */
  readonly doubtful?: readonly ByteRange[];
  /** Where a capability belongs in these functions: the lowest free place of the range. */
  readonly places?: Readonly<Partial<Record<SyntheticName, ByteRange>>>;
  /** Capabilities guests do not use in these functions although they are shown. */
  readonly ignoredByGuests?: readonly SyntheticName[];
  /** PASID works without TLP prefixes: ports on the path need not pass them on. */
  readonly pasidWithoutTlpPrefix?: true;
  /** Who found out, and how. */
  readonly source: string;
}

/** The rows about a function, in the order of the table. */
export function quirksOf(header: Header, rows: readonly QuirkRow[]): readonly QuirkRow[] {
  return rows.filter(({ match }) => matches(match, header));
}
