import { type DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

/** A table whose first column, the stream, is its key. */
export class KeyedTable {
  private readonly row: StatementSync;
  private readonly insert: StatementSync;
  private readonly columns: readonly string[];
  private readonly updates = new Map<string, StatementSync>();

  constructor(private readonly db: DatabaseSync, private readonly name: string) {
    this.row = db.prepare(`SELECT * FROM ${name} WHERE stream = ?`);
    this.row.setReturnArrays(true);
    this.columns = this.row.columns().map((one) => one.name);
    this.insert = db.prepare(`INSERT INTO ${name} VALUES (${this.columns.map(() => '?').join()})`);
  }

  /** Puts a row in place of the one before. Only what changed is written: an index that has none of it rests. */
  put(values: readonly (string | number | null)[]): void {
    const [stream = null] = values;
    const before = this.row.get(stream) as unknown as readonly SQLOutputValue[] | undefined;
    if (!before) {
      this.insert.run(...values);
      return;
    }
    const changed = this.columns.map((column, index) => ({ column, index }))
      .filter(({ index }) => before[index] !== values[index]);
    if (changed.length === 0) return;
    const given = changed.map(({ index }) => values[index] ?? null);
    this.update(changed.map(({ column }) => `${column} = ?`).join()).run(...given, stream);
  }

  /** A statement for each set of columns that change together: a dozen, since events change the same ones. */
  private update(assignments: string): StatementSync {
    const known = this.updates.get(assignments);
    if (known) return known;
    const statement = this.db.prepare(`UPDATE ${this.name} SET ${assignments} WHERE stream = ?`);
    this.updates.set(assignments, statement);
    return statement;
  }
}
