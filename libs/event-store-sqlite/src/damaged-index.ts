/** Thrown when an index of the file does not find what its table holds: whoever asks it would be told a lie. */
export class DamagedIndex extends Error {
  override readonly name = 'DamagedIndex';
  /** What SQLite says of it. */
  readonly finding: string;

  constructor(finding: string) {
    super(`The ledger is damaged: SQLite finds ${finding}; keep a copy of the file and restore a backup`);
    this.finding = finding;
  }
}
