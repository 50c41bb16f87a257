import { type EventStore } from '@cadastre/event-store';
import { type Halt } from './follow-page.js';
import { removeViewFile, replaceViewFile } from './view-file.js';
import { type Progress, Views } from './views.js';
import { type ViewState } from './view-tables.js';

export interface RebuiltViews {
  readonly state: ViewState;
  /** Views that cannot take in an event; when there are any, the file in place stays as it was. */
  readonly halted: readonly Halt[];
}

/**
 * Builds the views of a log anew, in a file beside `path` that takes its place when it is whole: views that cannot be
 * built cost nobody those that are there. Nobody else may have the file open to write. Rejects with `ViewsUnusable`
 * when the new file cannot be written, and with what the log says when that cannot be read.
 */
export async function rebuildViews(log: EventStore, path: string, progress: Progress): Promise<RebuiltViews> {
  const unborn = `${path}.new`;
  try {
    const rebuilt = await built(Views.anew(log, unborn), progress);
    if (rebuilt.halted.length === 0) replaceViewFile(path, unborn);
    return rebuilt;
  } finally {
    removeViewFile(unborn);
  }
}

async function built(views: Views, progress: Progress): Promise<RebuiltViews> {
  try {
    await views.follow(progress);
    return { state: views.state(), halted: views.halted() };
  } finally {
    await views.close();
  }
}
