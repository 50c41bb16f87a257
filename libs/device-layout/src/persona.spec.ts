import { type ConfigSpaceParts, express, u16, u32 } from '@cadastre/config-space/testing';
import { readLayoutDocument, writeLayoutDocument } from './layout-document.js';
import { layoutDocument } from './make-layout-document.js';
import { fit, type Persona, personaPlaces } from './persona.js';
import { pinnedAt, planned, policy, surveyOf, walkOf } from './testing.js';

const wide = { maxPasidLog2: 20, exec: true, priv: true, atsSupported: true };
const v1: ConfigSpaceParts = {
  vendorId: 0x1234, deviceId: 0x0001, revision: 1, standard: [express({ offset: 0x60, lanes: 8 })],
  extended: [{ id: 0x01, offset: 0x100 }, { id: 0x0f, offset: 0x200, body: u16(0x20) }],
};
const v2: ConfigSpaceParts = {
  vendorId: 0x1234, deviceId: 0x0002, revision: 2, standard: [express({ offset: 0x60, lanes: 16 })],
  extended: [{ id: 0x01, offset: 0x100 }, { id: 0x18, offset: 0x200, body: u32(0x77) },
    { id: 0x0f, offset: 0x240, body: u16(0x20) }],
};
const over = surveyOf(v1);
const { layout, guestConfigSpace } = planned(over, { policy: pinnedAt(0x400) });
const persona: Persona = { name: 'card-v1', version: 1, layout: layoutDocument(over, layout, guestConfigSpace) };

describe('a persona', () => {
  it('is worn by v2 hardware: the guest reads v1, and the hardware behind it is named', () => {
    const target = surveyOf(v2);
    const { verdict, worn } = fit(persona, target, wide);
    expect(verdict.reasons).toEqual([]);
    expect(verdict.relocations).toEqual([
      { space: 'extended', id: 0x0f, name: 'ATS', physical: 0x240, guest: 0x200 }]);
    expect(verdict.hidden).toMatchObject([{ name: 'LTR', offset: 0x200 }]);
    if (!worn) throw new Error('it fits');
    expect(worn.layout.space.u32(0x00)).toBe(0x00011234);
    expect([walkOf(worn.layout.space), worn.layout.space.u16(0x204), worn.layout.space.u16(0x404)])
      .toEqual(['100 200 400', 0x20, 0x1406]);
    expect(target.space.patched(worn.patches).equals(worn.layout.space)).toBe(true);
    expect(worn.layout.capabilities.map(({ name, origin, backing }) => [name, origin, backing])).toEqual([
      ['EXP', 'physical', { kind: 'physical', offset: 0x60 }], ['AER', 'physical', { kind: 'physical', offset: 0x100 }],
      ['ATS', 'physical', { kind: 'physical', offset: 0x240 }],
      ['PASID', 'persona', { kind: 'emulated', writable: [{ offset: 0x404, mask: 0x00070000 }] }]]);
    const read = readLayoutDocument(writeLayoutDocument(worn.layout));
    expect(read.ok).toBe(true);
  });

  it('keeps what the VMM made up over the hardware away from it, wherever the hardware has it now', () => {
    const own = (offset: number): ConfigSpaceParts =>
      ({ ...v1, extended: [{ id: 0x01, offset: 0x100 }, { id: 0x1b, offset, body: u32(0x1406) }] });
    const first = surveyOf(own(0x200));
    const plan = planned(first, { policy: policy({ strategies: ['physical'] }) });
    const document = layoutDocument(first, plan.layout, plan.guestConfigSpace);
    const { worn, verdict } = fit({ ...persona, layout: document }, surveyOf(own(0x300)), wide);
    expect(verdict.relocations).toMatchObject([{ name: 'PASID', physical: 0x300, guest: 0x200 }]);
    expect(worn?.layout.capabilities.at(-1)?.backing).toMatchObject({ kind: 'emulated' });
  });

  it('is not worn where something visible would have nothing behind it', () => {
    const { verdict, worn } = fit(persona, surveyOf({ ...v2, extended: v2.extended?.slice(0, 1) ?? [] }), wide);
    expect(worn).toBeNull();
    expect(verdict.reasons).toMatchObject([{ kind: 'capability-missing', name: 'ATS', offset: 0x200 }]);
  });

  it('is not worn where its own capability would lie over a register', () => {
    expect(fit(persona, surveyOf({ ...v2, bytes: { 0x402: [1] } }), wide).verdict.reasons)
      .toMatchObject([{ kind: 'place-taken', name: 'PASID', at: 0x402 }]);
  });

  it('fits the function it was made of without moving anything', () => {
    const { verdict, worn } = fit(persona, over, wide);
    expect([verdict.relocations, verdict.hidden]).toEqual([[], []]);
    expect(worn?.layout.space.equals(persona.layout.space)).toBe(true);
  });

  it('tells a planner where its additions are', () => {
    expect(personaPlaces(persona)).toEqual({ persona: 'card-v1@1', places: { pasid: 0x400 } });
    const followed = planned(surveyOf(v2), {
      policy: policy({ strategies: ['persona', 'gap'] }), persona: personaPlaces(persona) });
    expect(followed.layout.placements).toMatchObject([{ offset: 0x400, strategy: 'persona' }]);
  });
});
