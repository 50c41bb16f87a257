import { type Survey } from '@cadastre/config-space';
import { type ConfigSpaceParts, express, u16, u32 } from '@cadastre/config-space/testing';
import { readLayoutDocument, writeLayoutDocument } from './layout-document.js';
import { Evidence } from './evidence.js';
import { explainByte } from './explain-byte.js';
import { explainVerdict } from './explain-verdict.js';
import { layoutDocument } from './make-layout-document.js';
import { fit, type Persona, personaPlaces, planWorn, type Wearer } from './persona.js';
import { type QuirkRow } from './quirk-row.js';
import { pinnedAt, planned, policy, surveyOf, walkOf } from './testing.js';

const wide = { maxPasidLog2: 20, exec: true, priv: true, atsSupported: true };
const on = (survey: Survey, change: Partial<Wearer> = {}): Wearer => ({ survey, iommu: wide, ...change });
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
    const { verdict, worn } = fit(persona, on(target));
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
    const { worn, verdict } = fit({ ...persona, layout: document }, on(surveyOf(own(0x300))));
    expect(verdict.relocations).toMatchObject([{ name: 'PASID', physical: 0x300, guest: 0x200 }]);
    expect(worn?.layout.capabilities.at(-1)?.backing).toMatchObject({ kind: 'emulated' });
  });

  it('is not worn where something visible would have nothing behind it', () => {
    const { verdict, worn } = fit(persona, on(surveyOf({ ...v2, extended: v2.extended?.slice(0, 1) ?? [] })));
    expect(worn).toBeNull();
    expect(verdict.reasons).toMatchObject([{ kind: 'capability-missing', name: 'ATS', offset: 0x200 }]);
  });

  it('is not worn where its own capability would lie over a register', () => {
    expect(fit(persona, on(surveyOf({ ...v2, bytes: { 0x402: [1] } }))).verdict.reasons)
      .toMatchObject([{ kind: 'place-taken', name: 'PASID', at: 0x402 }]);
  });

  it('R5: is not worn where the quirk table keeps everybody out, nor where another unit has a register', () => {
    const quirk: QuirkRow = { name: 'hidden-block', match: { vendorId: 0x1234 }, source: 'a data sheet',
      forbidden: [{ offset: 0x3f0, length: 0x20 }] };
    expect(fit(persona, on(surveyOf(v2), { quirks: [quirk] }))).toMatchObject({ worn: null, verdict: { reasons: [{
      kind: 'forbidden', name: 'PASID', offset: 0x400, range: { offset: 0x3f0, length: 0x20 },
      by: 'hidden-block: a data sheet' }] } });
    const evidence = Evidence.of([{ source: 'unit 7', survey: surveyOf({ ...v2, bytes: { 0x404: [1] } }) }]);
    const { worn, verdict } = fit(persona, on(surveyOf(v2), { evidence }));
    expect(worn).toBeNull();
    expect(verdict.reasons).toMatchObject([{ kind: 'seen-in-use', offset: 0x400, at: 0x404, by: 'unit 7' }]);
    expect(explainVerdict(verdict)[1]).toBe('because PASID at 0x400 would lie over 0x404, which is free there, but '
      + 'unit 7 shows unknown-non-zero: it needs another place, or another function');
  });

  it('R5: may lie where every unit has a capability that is hidden', () => {
    const evidence = Evidence.of([{ source: 'unit 7', survey: surveyOf(v2) }]);
    const taken: ConfigSpaceParts = { ...v2, extended: [...v2.extended ?? [], { id: 0x1e, offset: 0x400 }] };
    expect(fit(persona, on(surveyOf(taken), { evidence: evidence.with({ source: 'unit 8', survey: surveyOf(taken) }) }))
      .verdict).toMatchObject({ reasons: [], hidden: [{ name: 'LTR' }, { name: 'L1SS' }] });
  });

  it('R5: keeps out of a register that one unit has where another, seen before or later, lists a capability', () => {
    const listing = { source: 'unit 7',
      survey: surveyOf({ ...v2, extended: [...v2.extended ?? [], { id: 0x1e, offset: 0x400 }] }) };
    const hiding = { source: 'unit 8', survey: surveyOf({ ...v2, bytes: { 0x404: [1] } }) };
    for (const evidence of [Evidence.of([listing, hiding]), Evidence.of([hiding, listing])]) {
      expect(fit(persona, on(surveyOf(v2), { evidence })).verdict.reasons).toMatchObject([
        { kind: 'seen-in-use', offset: 0x400, at: 0x404, owner: 'unknown-non-zero', by: 'unit 8' }]);
    }
  });

  it('moves nothing over a register', () => {
    const wearer = on(surveyOf({ ...v2, extended: [{ id: 0x01, offset: 0x100 }, { id: 0x0f, offset: 0x240,
      body: u16(0x20) }], bytes: { 0x204: [9] } }));
    expect(fit(persona, wearer).verdict.reasons).toMatchObject([
      { kind: 'place-taken', name: 'ATS', offset: 0x200, at: 0x204 }]);
  });

  it('is recorded with what was looked at, and what makes its place doubtful', () => {
    const quirk: QuirkRow = { name: 'doubt', match: { vendorId: 0x1234 }, source: 'a driver',
      doubtful: [{ offset: 0x400, length: 8 }] };
    const evidence = Evidence.of([{ source: 'unit 7', survey: surveyOf(v2) }]);
    const wearer = on(surveyOf(v2), { evidence, quirks: [quirk] });
    const { worn } = fit(persona, wearer);
    if (!worn) throw new Error('it fits');
    expect(planWorn(worn).layout).toMatchObject({
      evidence: { captures: [{ source: 'unit 7' }], looked: 1, quirks: ['doubt'], told: [] },
      placements: [{ name: 'pasid', cautions: [{ kind: 'inside-doubtful-range', row: 'doubt' }] }] });
  });

  it('fits the function it was made of without moving anything', () => {
    const { verdict, worn } = fit(persona, on(over));
    expect([verdict.relocations, verdict.hidden]).toEqual([[], []]);
    expect(worn?.layout.space.equals(persona.layout.space)).toBe(true);
  });

  it('tells a planner where its additions are', () => {
    expect(personaPlaces(persona)).toEqual({ persona: 'card-v1@1', places: { pasid: 0x400 } });
    const followed = planned(surveyOf(v2), {
      policy: policy({ strategies: ['persona', 'gap'] }), persona: personaPlaces(persona) });
    expect(followed.layout.placements).toMatchObject([{ offset: 0x400, strategy: 'persona' }]);
  });

  describe('that was worn and recorded', () => {
    const recorded = (given: Persona, survey: Survey) => {
      const { worn } = fit(given, on(survey));
      if (!worn) throw new Error('it fits');
      const { layout: decided, guestConfigSpace } = planWorn(worn);
      return { worn, decided, again: layoutDocument(survey, decided, guestConfigSpace) };
    };
    const scrubbed = planned(over, { policy: pinnedAt(0x400), operations: [
      { kind: 'scrub', offset: 0x500, length: 8, reason: 'secret' },
      { kind: 'replace-register', offset: 0x508, mask: 0xff00, value: 0x1200, reason: 'told so' }] });
    const strict: Persona = { ...persona,
      layout: layoutDocument(over, scrubbed.layout, scrubbed.guestConfigSpace) };

    it('is the same document, made of the hardware and the record alone', () => {
      for (const hardware of [surveyOf(v1), surveyOf(v2)]) {
        const { worn, decided, again } = recorded(strict, hardware);
        expect(writeLayoutDocument(again)).toBe(writeLayoutDocument(worn.layout));
        expect(hardware.space.patched(decided.patches).equals(again.space)).toBe(true);
      }
    });

    it('keeps what is behind everything, whatever the hardware has in its place', () => {
      const hardware = surveyOf({ ...v2, extended: [...v2.extended ?? []] });
      const { again, decided } = recorded(strict, hardware);
      expect(decided.relocations).toMatchObject([{ physical: 0x240, guest: 0x200 }]);
      expect(again.capabilities.find(({ id }) => id === 0x0f)).toMatchObject({
        offset: 0x200, length: 8, origin: 'physical', backing: { kind: 'physical', offset: 0x240 } });
      expect(explainByte(again, 0x204)).toMatchObject({ owner: 'ATS', range: { compare: 'identical' } });
      expect(explainByte(again, 0x240)).toMatchObject({
        owner: 'ATS', capability: null, range: { write: 'dropped', compare: 'identical' } });
    });

    it('says of a byte what was considered when the persona was made', () => {
      const { again } = recorded(persona, surveyOf(v2));
      expect(explainByte(again, 0x404)?.explanation).toEqual(expect.arrayContaining([
        'considered before, for the persona it was taken, pinned: the operator pinned this offset, and nothing else '
          + 'holds these bytes']));
      const twice = recorded({ ...persona, layout: again }, surveyOf(v2)).again;
      expect(explainByte(twice, 0x404)?.capability?.decision).toEqual(
        explainByte(again, 0x404)?.capability?.decision);
    });

    it('keeps scrubbing, and says so, wherever it is worn', () => {
      const other = surveyOf({ ...v2, bytes: { 0x504: [7], 0x509: [7] } });
      const { again, decided } = recorded(strict, other);
      expect([again.space.u32(0x504), again.space.u8(0x509)]).toEqual([0, 0x12]);
      expect(decided.operations).toMatchObject([{ kind: 'scrub', offset: 0x500 },
        { kind: 'replace-register', offset: 0x508, mask: 0xff00, value: 0x1200 }]);
      expect(explainByte(again, 0x504)).toMatchObject({ range: { compare: 'identical', write: 'dropped' } });
    });
  });
});
