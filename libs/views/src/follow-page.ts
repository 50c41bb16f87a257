import { type RecordedEvent } from '@cadastre/event-store';
import { decodeEvent } from '@cadastre/lifecycle';
import { type Captures, observationIn } from './captures.js';
import { clashProjection } from './clash-projection.js';
import { deviceProjection } from './device-projection.js';
import { evidenceProjection } from './evidence-projection.js';
import { functionProjection } from './function-projection.js';
import { migrationProjection } from './migration-projection.js';
import { observedFunction, surveyOf } from './observed-function.js';
import { type Projection, type RowChange, type RowsBefore, type ToldEvent, type ViewName } from './projection.js';
import { type ViewTables } from './view-tables.js';

/** Why a view stands still: what could not be folded, and where. It is never skipped. */
export interface Halt {
  readonly view: ViewName;
  readonly position: number;
  readonly reason: string;
}

/** All views; each stands behind those it reads. */
const projections: readonly Projection[] = [
  functionProjection, deviceProjection, migrationProjection, clashProjection, evidenceProjection,
];

/**
 * Takes events into the views, rows and checkpoints in one transaction. Views that halted before are left as they are;
 * one whose projection throws halts in front of that event, and so does every view that reads it; others go on.
 * @returns all views that stand still now
 */
export function followPage(
  tables: ViewTables, events: readonly RecordedEvent[], captures: Captures, halted: readonly Halt[],
): readonly Halt[] {
  return tables.atomically(() => {
    const halts = [...halted];
    for (const recorded of events) {
      for (const change of changesOf(recorded, captures.get(recorded.position), tables, halts)) tables.apply(change);
    }
    for (const { name } of projections) {
      const standing = halts.find(({ view }) => view === name);
      const taken = standing ? events.findLast(({ position }) => position < standing.position) : events.at(-1);
      if (taken) tables.setCheckpoint(name, taken);
    }
    return halts;
  });
}

/** What one event changes in all views, each of which sees the rows as they were before it. Adds to `halts`. */
function changesOf(
  recorded: RecordedEvent, capture: RecordedEvent | undefined, before: RowsBefore, halts: Halt[],
): readonly RowChange[] {
  const { position } = recorded;
  const told = attempt(() => toldBy(recorded, capture));
  return projections.flatMap((view) => {
    if (halts.some((one) => one.view === view.name)) return [];
    const other = view.reads.find((name) => halts.some((one) => one.view === name));
    const found = !told.ok ? told
      : other === undefined ? attempt(() => view.project(told.value, before))
        : { ok: false, reason: `it reads the view of ${other}, which halted` } as const;
    if (found.ok) return found.value;
    halts.push({ view: view.name, position, reason: found.reason });
    return [];
  });
}

function toldBy({ position, stream, revision, data }: RecordedEvent, capture: RecordedEvent | undefined): ToldEvent {
  const { event, envelope: { recordedAt } } = decodeEvent(data);
  const observation = observationIn(event, capture);
  const surveyed = observation && surveyOf(observation);
  const seen = observation && surveyed && observedFunction(observation, surveyed);
  return { event, observation, seen, surveyed, position, stream, revision, recordedAt };
}

type Attempted<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

function attempt<T>(work: () => T): Attempted<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    // When the file of the views fails, the event is not to blame.
    if (!(error instanceof Error) || 'errcode' in error) throw error;
    return { ok: false, reason: error.message };
  }
}
