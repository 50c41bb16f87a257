import { survey } from '@cadastre/config-space';
import { buildConfigSpace, express } from '@cadastre/config-space/testing';
import { documentDigest, layoutDocument, planLayout } from '@cadastre/device-layout';
import { fold } from '../decider.js';
import { decodeEvent, encodeEvent } from '../event-codec.js';
import { PersonaName } from '../name.js';
import { personaDecider, type PersonaEvent, personaOf, type PersonaState } from './persona-decider.js';

const parsed = PersonaName.from('gpu-v1');
if (!parsed.ok) throw new Error('a name');
const name = parsed.value;

function layoutWith(offset: number) {
  const surveyed = survey(buildConfigSpace({ standard: [express()], extended: [{ id: 1, offset: 0x100 }] }));
  const planned = planLayout({ survey: surveyed, physicalFunction: null, wanted: [{ name: 'pasid', registers: {} }],
    policy: { strategies: ['pinned'], pinned: { pasid: offset }, allowedRanges: [], forbiddenRanges: [] } });
  if (!planned.ok) throw new Error(planned.refusal.kind);
  return layoutDocument(surveyed, planned.value.layout, planned.value.guestConfigSpace);
}

const publish = (
  offset: number, state: PersonaState = personaDecider.initial, instanceType: string | null = 'gpu.large',
) =>
  personaDecider.decide({ kind: 'publish-persona', name, instanceType, layout: layoutWith(offset) }, state);
const after = (...offsets: readonly number[]): { state: PersonaState; events: readonly PersonaEvent[] } => {
  const events: PersonaEvent[] = [];
  for (const offset of offsets) {
    const decided = publish(offset, fold(personaDecider, events));
    if (decided.ok) events.push(...decided.value);
  }
  return { state: fold(personaDecider, events), events };
};

describe('a persona', () => {
  it('is published in versions, each of which stays what it was', () => {
    const { state } = after(0x400, 0x500);
    if (state.kind !== 'published') throw new Error('published');
    expect(state).toMatchObject({ revision: 1, versions: [{ version: 1 }, { version: 2 }] });
    const layouts = state.versions.map((one) => personaOf(name, one).layout);
    expect(layouts.map(documentDigest)).toEqual(state.versions.map(({ digest }) => digest));
    expect(layouts.map(({ capabilities }) => capabilities.at(-1)?.offset)).toEqual([0x400, 0x500]);
  });

  it('is not published again unchanged', () => {
    expect(publish(0x400, after(0x400).state)).toMatchObject({
      ok: false, refusal: { kind: 'persona-unchanged', name: 'gpu-v1', version: 1 } });
    expect(publish(0x400, after(0x400, 0x500).state)).toMatchObject({ ok: true, value: [{ version: 3 }] });
  });

  it('is recorded byte for byte', () => {
    const [event] = after(0x400).events;
    if (!event) throw new Error('an event');
    const envelope = { idempotencyKey: 'k', requestDigest: event.digest, recordedAt: '2026-11-23T17:00:00.000Z' };
    expect(decodeEvent(encodeEvent({ event, envelope })).event).toEqual(event);
  });

  it('is bound to an instance type, and each version keeps its own', () => {
    const { events, state } = after(0x200);
    expect(events).toMatchObject([{ version: 1, instanceType: 'gpu.large' }]);
    expect(publish(0x200, state)).toMatchObject({ ok: false, refusal: { kind: 'persona-unchanged' } });
    const moved = publish(0x200, state, 'gpu.small');
    if (!moved.ok) throw new Error('another instance type is another version');
    expect(fold(personaDecider, [...events, ...moved.value])).toMatchObject({ versions: [
      { version: 1, instanceType: 'gpu.large' }, { version: 2, instanceType: 'gpu.small' }] });
  });
});
