import { CorruptLog } from './corrupt-log.js';
import { EventId } from './event-id.js';
import { LogPage } from './log-page.js';
import { Position } from './position.js';
import { type RecordedEvent } from './recorded-event.js';
import { sha256Hex } from './sha256-hex.js';
import { StreamName } from './stream-name.js';
import { StreamPage } from './stream-page.js';
import { StreamRevision } from './stream-revision.js';

const stream = StreamName.from('device-vm1/gpu0');
const data = '[1,2,3]';

function recorded(number: number): RecordedEvent {
  return {
    position: Position.from(number),
    stream,
    revision: StreamRevision.from(number),
    id: EventId.derive('run', number),
    type: 'DeviceAttached',
    data,
    sha256: sha256Hex(data),
  };
}

const run = (numbers: readonly number[], exhausted = true) => ({ items: numbers.map(recorded), exhausted });
const damage = (page: () => unknown): unknown => {
  try {
    return page();
  } catch (error) {
    return error;
  }
};

describe('a page of the log', () => {
  const page = (numbers: readonly number[], head: number, exhausted = true) =>
    LogPage.complete('start', run(numbers, exhausted), Position.from(head));

  it('is served when every position is there, up to the head or up to where the page was full', () => {
    expect(page([0, 1, 2], 2).events).toHaveLength(3);
    expect(page([0, 1], 2, false).events).toHaveLength(2);
    expect(LogPage.complete(Position.from(2), run([]), Position.from(2))).toEqual({ events: [], head: 2 });
  });

  it.each([
    ['the first event was lost', [1, 2], 2, { expected: 0, found: 1 }],
    ['an event in the middle was lost', [0, 2], 2, { expected: 1, found: 2 }],
    ['the last event was lost', [0, 1], 2, { expected: 2, found: 'end' }],
    ['all events were lost', [], 2, { expected: 0, found: 'end' }],
    ['an event was put behind the head', [0, 1, 2, 3], 2, { expected: 'end', found: 3 }],
    ['an event is there twice', [0, 1, 1, 2], 2, { expected: 2, found: 1 }],
    ['two events changed places', [0, 2, 1], 2, { expected: 1, found: 2 }],
  ])('is refused when %s', (_what, numbers, head, where) => {
    const error = damage(() => page(numbers, head));
    expect(error).toBeInstanceOf(CorruptLog);
    expect(error).toMatchObject({ sequence: 'positions', ...where });
  });

  it('is refused when the log is empty by its own account and yet has an event', () => {
    expect(() => LogPage.complete('start', run([0]), 'empty')).toThrow(CorruptLog);
  });
});

describe('a page of a stream', () => {
  it('is refused when a revision was lost, and names the stream', () => {
    const from = StreamRevision.from(1);
    const error = damage(() => StreamPage.complete(stream, from, run([1, 3]), StreamRevision.from(3)));
    expect(error).toBeInstanceOf(CorruptLog);
    expect(error).toMatchObject({ sequence: stream, expected: 2, found: 3 });
  });
});
