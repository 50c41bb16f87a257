import { type EventStore } from '@cadastre/event-store';
import { inMemory, openViewFileToRead } from './view-file.js';
import { type Progress, Views } from './views.js';
import { type ViewState, ViewTables } from './view-tables.js';

export interface ViewCheck {
  readonly found: ViewState;
  /** What the log gives, up to the same event. */
  readonly rebuilt: ViewState;
}

/**
 * Compares the views in a file with what the log gives, up to the same event. Reads beside the server that keeps them,
 * and writes nothing. Rejects with `ViewsUnusable` when the file cannot be read, or is not there.
 */
export async function checkViews(log: EventStore, path: string, progress: Progress): Promise<ViewCheck> {
  const tables = new ViewTables(openViewFileToRead(path));
  const found = tables.state();
  tables.close();
  const rebuilt = await Views.open(log, inMemory, () => undefined);
  try {
    const upTo = Math.max(-1, ...found.positions.map((position) => position ?? -1));
    await rebuilt.follow(progress, upTo);
    return { found, rebuilt: rebuilt.state() };
  } finally {
    await rebuilt.close();
  }
}
