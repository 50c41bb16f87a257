import { hash } from 'node:crypto';
import { type DatabaseSync, type StatementSync } from 'node:sqlite';
import { type RecordedEvent } from '@cadastre/event-store';
import { openViewFileToRead } from './view-file.js';

/** A state of a stream as text, behind the event that led to it. */
export interface SavedState {
  readonly revision: number;
  readonly position: number;
  /** Tell this log from every other, and from another state of it. */
  readonly eventId: string;
  readonly eventSha256: string;
  readonly text: string;
}

/** One of all states in a file, as it stands there. */
export interface ListedState extends SavedState {
  readonly stream: string;
  /** Whether its text is what was written. */
  readonly isWhole: boolean;
}

/** A piece of a state that others share; its text is asked for only when it is not kept yet. */
export interface SavedPart {
  readonly name: string;
  readonly text: () => string;
}

/** The newest event a saved state may have behind it; null is the newest of all. */
export type SavedUpTo = { readonly revision: number } | { readonly position: number } | null;

const sql = {
  newest: `SELECT * FROM saved_state WHERE stream = :stream AND form = :form AND revision <= :revision
    AND position <= :position ORDER BY revision DESC LIMIT 1`,
  streams: 'SELECT DISTINCT stream FROM saved_state',
  all: 'SELECT * FROM saved_state WHERE form = ? ORDER BY stream, revision',
  save: `INSERT OR REPLACE INTO saved_state (stream, revision, position, event_id, event_sha256, form, sha256, text)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  part: 'SELECT text FROM saved_part WHERE name = ?',
  hasPart: 'SELECT 1 FROM saved_part WHERE name = ?',
  savePart: 'INSERT INTO saved_part (name, text) VALUES (?, ?)',
  forgetPart: 'DELETE FROM saved_part WHERE name = ?',
  forget: 'DELETE FROM saved_state WHERE stream = ?',
} as const;

interface StoredState {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly event_id: string;
  readonly event_sha256: string;
  readonly sha256: string;
  readonly text: string;
}

/**
 * States that streams were folded to, kept beside the views so that a long stream need not be folded from its
 * beginning. Never the truth: whoever takes one compares the event it stands behind with the log. The parts are named
 * by their content, so what two states share is kept once.
 */
export class SavedStates {
  private readonly statements: { readonly [Name in keyof typeof sql]: StatementSync };
  /** Those that have states: few do, and every command asks for three that have none. */
  private readonly streams: Set<string>;

  constructor(private readonly db: DatabaseSync) {
    const prepared = Object.entries(sql).map(([name, text]) => [name, db.prepare(text)] as const);
    this.statements = Object.fromEntries(prepared) as SavedStates['statements'];
    const rows = this.statements.streams.all() as unknown as readonly Pick<StoredState, 'stream'>[];
    this.streams = new Set(rows.map(({ stream }) => stream));
  }

  /** @param form the number of the form the caller reads; texts of other forms are passed over */
  newest(stream: string, form: number, upTo: SavedUpTo): SavedState | undefined {
    if (!this.streams.has(stream)) return undefined;
    const most = Number.MAX_SAFE_INTEGER;
    const revision = upTo && 'revision' in upTo ? upTo.revision : most;
    const position = upTo && 'position' in upTo ? upTo.position : most;
    const stored = this.statements.newest.get({ stream, form, revision, position }) as StoredState | undefined;
    if (!stored) return undefined;
    if (hash('sha256', stored.text) !== stored.sha256) {
      this.forget(stream);
      return undefined;
    }
    return stateOf(stored);
  }

  /** All states of a form, each stream from its oldest on. */
  *all(form: number): Generator<ListedState> {
    for (const row of this.statements.all.iterate(form)) {
      const stored = row as unknown as StoredState;
      yield { ...stateOf(stored), stream: stored.stream, isWhole: hash('sha256', stored.text) === stored.sha256 };
    }
  }

  /** The text of a part; undefined when it is lost, or is not what its name says: then it is kept anew. */
  readonly part = (name: string): string | undefined => {
    const stored = this.statements.part.get(name) as { readonly text: string } | undefined;
    if (!stored || `sha256:${hash('sha256', stored.text)}` === name) return stored?.text;
    this.statements.forgetPart.run(name);
    return undefined;
  };

  /** Keeps a state behind an event, with its parts, or nothing of it. */
  save({ stream, revision, position, id, sha256 }: RecordedEvent, form: number, text: string,
    parts: readonly SavedPart[]): void {
    this.db.exec('BEGIN IMMEDIATE');
    try {
      for (const part of parts) {
        if (!this.statements.hasPart.get(part.name)) this.statements.savePart.run(part.name, part.text());
      }
      this.statements.save.run(stream, revision, position, id, sha256, form, hash('sha256', text), text);
      this.db.exec('COMMIT');
      this.streams.add(stream);
    } finally {
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
    }
  }

  /** Lets go of all states of a stream: they are of another log, or damaged. */
  forget(stream: string): void {
    this.statements.forget.run(stream);
    this.streams.delete(stream);
  }
}

function stateOf(stored: StoredState): SavedState {
  const { revision, position, event_id: eventId, event_sha256: eventSha256, text } = stored;
  return { revision, position, eventId, eventSha256, text };
}

/** The states in the file of the views, to be looked at beside the server that keeps them. Throws `ViewsUnusable`. */
export function withSavedStates<T>(path: string, work: (states: SavedStates) => Promise<T>): Promise<T> {
  const db = openViewFileToRead(path);
  return work(new SavedStates(db)).finally(() => db.close());
}
