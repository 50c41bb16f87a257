/** SQLite's primary result codes that we tell apart ("Result Codes", sqlite.org/rescode.html). */
export const sqliteBusy = 5;
export const sqliteNotADatabase = 26;

/** The primary result code of an error that SQLite raised; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  const errcode = typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : undefined;
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}
