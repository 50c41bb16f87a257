import { type ExpectedRevision } from '../expected-revision.js';
import { StreamName } from '../stream-name.js';
import { StreamRevision } from '../stream-revision.js';
import {
  attachedDevice, attachedFunction, event, one, patienceMs, type Subject, wholeLog, wholeStream,
} from './subject.js';

const rounds = 200;
const writers = 8;

/** Two writers never both win. */
export function promiseOneWinner(subject: Subject): void {
  describe('writers who race', () => {
    it(`for one revision have exactly one winner, in each of ${rounds} rounds of ${writers}`, async () => {
      const { store } = subject;
      let revision: ExpectedRevision = 'no-stream';
      for (let round = 0; round < rounds; round += 1) {
        const expected: ExpectedRevision = revision;
        const outcomes = await Promise.all(Array.from({ length: writers }, (_, writer) =>
          store.append([one(attachedDevice, expected, `round ${round} writer ${writer}`)])));
        revision = StreamRevision.from(round);
        const winners = outcomes.filter(({ kind }) => kind === 'appended');
        const losers = outcomes.filter(({ kind }) => kind === 'revision-moved');
        expect([winners.length, losers.length]).toEqual([1, writers - 1]);
        expect(losers).toContainEqual({ kind: 'revision-moved', stream: attachedDevice, expected, actual: revision });
      }
      expect(await wholeStream(store, attachedDevice)).toHaveLength(rounds);
    }, patienceMs);

    it('for one function from two VMs never both own it, and the loser leaves nothing', async () => {
      const { store } = subject;
      const devices = ['device-vm1/gpu0', 'device-vm2/gpu0'].map((name) => StreamName.from(name));
      const claims = devices.map((device) => [
        { stream: device, expectedRevision: 'no-stream', events: [event(device, 0)] },
        { stream: attachedFunction, expectedRevision: 'no-stream', events: [event(device, 1)] },
      ] as const);
      const outcomes = await Promise.all(claims.map((claim) => store.append(claim)));
      expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['appended', 'revision-moved']);
      const owner = devices[outcomes.findIndex(({ kind }) => kind === 'appended')];
      expect((await wholeLog(store)).map(({ stream }) => stream)).toEqual([owner, attachedFunction]);
    });

    it('on different streams all succeed, each at its own position', async () => {
      const { store } = subject;
      const streams = Array.from({ length: 100 }, (_, index) => StreamName.from(`device-vm${index}/nic0`));
      const outcomes = await Promise.all(streams.map((stream) => store.append([one(stream, 'no-stream', stream)])));
      const positions = outcomes.map((outcome) => outcome.kind === 'appended' ? outcome.position : outcome.kind);
      expect(new Set(positions)).toEqual(new Set(streams.keys()));
      const log = await wholeLog(store);
      for (const [index, stream] of streams.entries()) {
        expect(log[positions[index] as number]).toMatchObject({ stream, revision: 0 });
      }
    });
  });
}
