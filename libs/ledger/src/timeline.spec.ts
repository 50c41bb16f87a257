import { MemoryEventStore, Position } from '@cadastre/event-store';
import { decodeEvent } from '@cadastre/lifecycle';
import { functionKey, TestClock, TestLedger } from './testing.js';
import { Timeline } from './timeline.js';

const addresses = ['0000:01:00.0', '0000:02:00.0', '0000:03:00.0', '0000:04:00.0'];

/** Eight events, two in each second from 1 to 4; the clock then stands at 10. */
async function history() {
  const store = new MemoryEventStore();
  const clock = new TestClock(0);
  const ledger = await TestLedger.open(store, clock);
  for (const address of addresses) {
    clock.instant += 1_000;
    await ledger.observe(address, functionKey(address));
  }
  clock.instant = 10_000;
  return { store, timeline: new Timeline(store, clock) };
}

describe('the timeline', () => {
  it('finds the last event recorded at or before every instant from the first event to now', async () => {
    const { store, timeline } = await history();
    const times = (await store.readAll()).events.map(({ data }) => Date.parse(decodeEvent(data).envelope.recordedAt));
    for (let instant = 1_000; instant <= 10_000; instant += 250) {
      const position = times.findLastIndex((time) => time <= instant);
      expect(await timeline.find({ kind: 'instant', instant })).toEqual({ kind: 'found', position });
    }
  });

  it.each([
    ['before the first event', 999, '1970-01-01T00:00:00.999Z'],
    ['that is still to come', 10_001, '1970-01-01T00:00:10.001Z'],
  ])('refuses an instant %s', async (_what, instant, asked) => {
    const { timeline } = await history();
    expect(await timeline.find({ kind: 'instant', instant })).toEqual({
      kind: 'refused', refusal: { kind: 'position-unknown', asked, head: 7 },
    });
  });

  it('has every position up to the head, and none behind it', async () => {
    const { timeline } = await history();
    for (const position of [0, 3, 7].map((one) => Position.from(one))) {
      expect(await timeline.find({ kind: 'position', position })).toEqual({ kind: 'found', position });
    }
    expect(await timeline.find({ kind: 'position', position: Position.from(8) })).toEqual({
      kind: 'refused', refusal: { kind: 'position-unknown', asked: '8', head: 7 },
    });
  });

  it('of an empty log has no moment at all', async () => {
    const timeline = new Timeline(new MemoryEventStore(), new TestClock());
    for (const moment of [{ kind: 'position', position: Position.from(0) }, { kind: 'instant', instant: 0 }] as const) {
      expect(await timeline.find(moment)).toMatchObject({ kind: 'refused', refusal: { head: null } });
    }
  });
});
