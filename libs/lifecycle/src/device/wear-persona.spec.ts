import { type Persona } from '@cadastre/device-layout';
import { fold } from '../decider.js';
import { decidedDocument } from '../migration/guest-document.js';
import { anywhere, attachOver, deviceKey, functionKey, groundOver, layoutIn, observation, wish } from '../testing.js';
import { type LayoutWish } from './decide-layout.js';
import { deviceDecider } from './device-decider.js';

const observed = observation();
const pinnedAt = (pasid: number): Partial<LayoutWish> => ({ policy: { ...anywhere, strategies: ['pinned'],
  pinned: { pasid } } });
const personaAt = (offset: number, change: Partial<LayoutWish> = {}): Persona => ({ name: 'nic', version: 1,
  layout: decidedDocument(layoutIn(attachOver(observed, { ...pinnedAt(offset), ...change })), observed) });
const detached = (change: Partial<LayoutWish>) => fold(deviceDecider, [
  ...attachOver(observed, change), { type: 'DeviceDetached', schema: 1, function: functionKey(), reason: null }]);

/** What an attach of a device decides that had PASID at 0x154. */
function attachAgain(change: Partial<LayoutWish>, before = detached(pinnedAt(0x154))) {
  return deviceDecider.decide({ kind: 'attach-device', key: deviceKey(), hotPlugOrder: null,
    wish: wish({ requested: [], ...change }),
    ground: groundOver(observed) }, before);
}

describe('a persona on a device that had another layout', () => {
  it('is refused where it would move what a guest has found', () => {
    expect(attachAgain({ persona: personaAt(0x400) })).toMatchObject({ ok: false, refusal: {
      kind: 'persona-moves-places', persona: 'nic@1',
      reasons: [{ kind: 'offset-would-move', name: 'PASID', layout: 0x154, destination: 0x400 }] } });
  });

  it('is refused where it has something else in such a place', () => {
    const acs = personaAt(0x400, { requested: [{ name: 'acs' }], policy: { ...anywhere, strategies: ['pinned'],
      pinned: { acs: 0x150 } } });
    expect(attachAgain({ persona: acs })).toMatchObject({ ok: false, refusal: {
      kind: 'persona-moves-places', reasons: [{ kind: 'place-taken', name: 'PASID', offset: 0x154, by: 'ACS' }] } });
  });

  it('is worn where it has it in the same place, and holds places it does not have', () => {
    const events = attachAgain({ persona: personaAt(0x154) });
    expect(events).toMatchObject({ ok: true, value: [{}, { placements: [{ offset: 0x154, cautions: [] }], reserved: [],
    }] });
    const bare = attachAgain({ persona: personaAt(0x154, { requested: [] }) });
    expect(bare).toMatchObject({ ok: true, value: [{}, { placements: [], reserved: [{ name: 'pasid', offset: 0x154 }],
    }] });
  });

  it('moves it when that is asked for, and says where it was', () => {
    expect(attachAgain({ persona: personaAt(0x400), keepPlaces: false })).toMatchObject({ ok: true, value: [{}, {
      placements: [{ offset: 0x400,
        cautions: expect.arrayContaining([{ kind: 'was-elsewhere', offset: 0x154 }]) as unknown }],
      reserved: [] }] });
  });
});

describe('a persona beside other wishes', () => {
  it.each<[string, Partial<LayoutWish>]>([
    ['capabilities', { requested: wish().requested }],
    ['policy.pinned', pinnedAt(0x200)],
    ['policy.allowedRanges', { policy: { ...anywhere, allowedRanges: [{ offset: 0x100, length: 0x100 }] } }],
    ['policy.forbiddenRanges', {
      policy: { ...anywhere, forbiddenRanges: [{ offset: 0x400, length: 8, reason: 'no' }] } }],
    ['policy.operations', { operations: [{ kind: 'scrub', offset: 0x300, length: 4, reason: 'secret' }] }],
  ])('is refused: %s would be passed over', (member, change) => {
    expect(attachAgain({ persona: personaAt(0x400), ...change }, deviceDecider.initial)).toMatchObject({
      ok: false, refusal: { kind: 'persona-worn-whole', persona: 'nic@1', members: [member] } });
  });
});
