/**
 * What `lspci -vvv` prints of a register, and the decoded field it must agree with. A flag is a name followed by `+`
 * or `-`; a number is what the first group of the pattern matches.
 */
export interface OracleLine {
  /** `title` is the line of the capability itself. */
  readonly label: string;
  readonly flags?: Readonly<Record<string, string>>;
  readonly numbers?: readonly OracleNumber[];
}

export interface OracleNumber {
  readonly pattern: RegExp;
  readonly field: string;
  /** Base the number is printed in; 10 when not given. */
  readonly base?: 16;
  /** From the field's value to what is printed. */
  readonly shown?: (value: number) => number;
}

/** Message numbers, as old and new versions word them. */
export const messageNumber = (field: string): OracleNumber => ({ pattern: /(?:IntMsgNum|MSI) ([0-9a-f]+)/, field });
