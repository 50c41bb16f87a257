import { type DatabaseSync, type StatementSync } from 'node:sqlite';

/** What many rows share, kept once and named by a number. There are few kinds, so a filter looks at them first. */
export class KindTable {
  private readonly find: StatementSync;
  private readonly insert: StatementSync;

  constructor(db: DatabaseSync, name: 'function_kind' | 'device_kind') {
    const columns = db.prepare(`SELECT * FROM ${name}`).columns().flatMap((one) => one.name ?? []).slice(1);
    this.find = db.prepare(`SELECT id FROM ${name} WHERE ${columns.map((one) => `${one} IS ?`).join(' AND ')}`);
    this.insert = db.prepare(`INSERT INTO ${name} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`);
  }

  /** The number of the kind with these values, in the order of its columns. */
  numberOf(values: readonly (string | number | null)[]): number {
    const known = this.find.get(...values) as { readonly id: number } | undefined;
    return known?.id ?? Number(this.insert.run(...values).lastInsertRowid);
  }
}
