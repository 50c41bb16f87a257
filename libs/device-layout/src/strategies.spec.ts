import { survey } from '@cadastre/config-space';
import { u32 } from '@cadastre/config-space/testing';
import { knownQuirks } from './known-quirks.js';
import { type WantedCapability } from './plan-layout.js';
import { defaultStrategies } from './refusal.js';
import { planned, policy, reasonsOf, refusalOf, surveyOf, walkOf, wholePasid } from './testing.js';

const aer = { id: 0x01, offset: 0x100 } as const;
const over = surveyOf({ extended: [aer] });
const byDefault = policy({ strategies: defaultStrategies });
const pri: WantedCapability = { name: 'pri', registers: { outstandingPageRequestCapacity: 32 } };
const ats: WantedCapability = { name: 'ats', registers: { invalidateQueueDepth: 0 } };
const clique: WantedCapability = { name: 'nvidia-clique', registers: { clique: 3 } };
const gpu = { vendorId: 0x10de, deviceId: 0x1eb8, classCode: 0x030200 } as const;

describe('the default order', () => {
  const persona = { persona: 'gpu-v1@1', places: { pasid: 0x400 } } as const;
  const told = [{ by: 'plugin', source: 'plugin x 1', name: null, range: { offset: 0x500, length: 0x40 } }] as const;
  const quirks = [{ name: 'row', match: { vendorId: 0x1af4 }, source: 'a test',
    places: { pasid: { offset: 0x600, length: 8 } } }] as const;
  const first = (change: object) => planned(over, { policy: byDefault, ...change }).layout.placements[0];

  it('is persona, physical, dvsec, table, gap; each that failed is told', () => {
    const all = { persona, told, quirks };
    expect(first(all)).toMatchObject({ offset: 0x400, strategy: 'persona', refused: [] });
    expect(first({ told, quirks })).toMatchObject({
      offset: 0x500, strategy: 'dvsec', reason: { kind: 'device-told-it', by: 'plugin', source: 'plugin x 1' } });
    expect(first({ quirks })).toMatchObject({ offset: 0x600, strategy: 'table' });
    expect(first({})).toMatchObject({ offset: 0x134, strategy: 'gap', refused: [
      { strategy: 'persona', because: { kind: 'no-persona' } }, { strategy: 'physical' },
      { strategy: 'dvsec', because: { kind: 'nothing-told' } }, { strategy: 'table', because: { kind: 'no-row' } }] });
  });

  it('may be changed by the policy', () => {
    const order = policy({ strategies: ['table', 'persona'] });
    expect(first({ persona, told, quirks, policy: order })).toMatchObject({ offset: 0x600, strategy: 'table' });
  });

  it('names in the decision what it rested on', () => {
    const { layout } = planned(over, { policy: byDefault, told, quirks });
    expect(layout.evidence).toEqual({ captures: [], looked: 0, quirks: ['row'],
      told: [{ by: 'plugin', source: 'plugin x 1' }] });
  });
});

describe('room a device tells of', () => {
  const strategies = ['dvsec'] as const;

  it('is searched for its lowest free bytes', () => {
    const used = surveyOf({ extended: [aer], bytes: { 0x502: [1] } });
    const range = { offset: 0x500, length: 0x20 };
    const told = [{ by: 'plugin', source: 'plugin x 1', name: 'pasid', range }] as const;
    expect(planned(used, { policy: policy({ strategies }), told }).layout.placements[0]?.offset).toBe(0x504);
  });

  it('is no proof: bytes in use stay in use', () => {
    const told = [{ by: 'plugin', source: 'plugin x 1', name: null, range: { offset: 0x100, length: 0x20 } }] as const;
    expect(reasonsOf(refusalOf(over, { policy: policy({ strategies }), told })))
      .toMatchObject([{ kind: 'offset-occupied', by: 'AER' }]);
  });

  it('for another capability is not for this one', () => {
    const told = [{ by: 'plugin', source: 'plugin x 1', name: 'pri', range: { offset: 0x500, length: 0x20 } }] as const;
    expect(reasonsOf(refusalOf(over, { policy: policy({ strategies }), told }))).toEqual([{ kind: 'nothing-told' }]);
  });
});

describe('the quirk table', () => {
  it('puts PASID where a driver has it built in: 0x148 in a DLB', () => {
    const dlb = surveyOf({ vendorId: 0x8086, deviceId: 0x2710, extended: [aer] });
    expect(planned(dlb, { policy: byDefault, quirks: knownQuirks }).layout.placements[0])
      .toMatchObject({ offset: 0x148, strategy: 'table', reason: { row: 'intel-dlb-driver-offset' } });
  });

  it('forbids registers that read zero', () => {
    const nvme = surveyOf({ vendorId: 0x144d, deviceId: 0xa808, extended: [aer] });
    const pinned = policy({ strategies: ['pinned'], pinned: { pasid: 0x800 } });
    expect(reasonsOf(refusalOf(nvme, { policy: pinned, quirks: knownQuirks })))
      .toMatchObject([{ kind: 'forbidden', range: { offset: 0x700, length: 0x480 } }]);
  });

  it('keeps out of doubtful bytes while there is another place, and names the doubt', () => {
    const full = surveyOf({ ...gpu, extended: [aer, { id: 0x0b, offset: 0x12c, body: u32(0x2d400001) }] });
    expect(planned(full, { quirks: knownQuirks }).layout.placements[0]).toMatchObject({ offset: 0x400, cautions: [
      { kind: 'right-behind-capability' }, { kind: 'inside-doubtful-range', row: 'nvidia-display-and-audio' }] });
    expect(planned(surveyOf({ ...gpu, extended: [aer] }), { quirks: knownQuirks }).layout.placements[0]?.cautions)
      .toEqual([]);
  });

  it('says what guests will not use', () => {
    const ipu = surveyOf({ vendorId: 0x8086, deviceId: 0x1452, extended: [aer, { id: 0x0f, offset: 0x200 }] });
    expect(planned(ipu, { wanted: [ats], policy: byDefault, quirks: knownQuirks }).layout.placements[0])
      .toMatchObject({ strategy: 'physical', cautions: [{ kind: 'ignored-by-guests', row: 'intel-ipu-ats-ignored' }] });
  });
});

describe('several capabilities', () => {
  it('are placed together, none over another', () => {
    const { layout, guestConfigSpace } = planned(over, { wanted: [wholePasid, pri, ats] });
    expect(layout.placements.map(({ name, offset, length }) => [name, offset, length]))
      .toEqual([['pasid', 0x134, 8], ['pri', 0x13c, 16], ['ats', 0x14c, 8]]);
    expect(walkOf(guestConfigSpace)).toBe('100 134 13c 14c');
    expect(guestConfigSpace.u16(0x142)).toBe(0x0100);
  });

  it('that need the device are told when nothing in it lists them', () => {
    const cautions = (parts: object): unknown => planned(surveyOf({ extended: [aer], ...parts }), {
      wanted: [ats], policy: byDefault }).layout.placements[0]?.cautions;
    expect(cautions({})).toEqual([{ kind: 'nothing-behind-it', id: 0x0f }]);
    expect(cautions({ extended: [aer, { id: 0x0f, offset: 0x200 }] })).toEqual([]);
  });

  it('added next year leave those of this year where they are', () => {
    const before = planned(over, { wanted: [ats, pri] }).layout.placements;
    const after = planned(over, { wanted: [wholePasid, pri, ats], decided: before });
    expect(after.layout.placements.map(({ name, offset }) => [name, offset]))
      .toEqual([['pasid', 0x14c], ['pri', 0x134], ['ats', 0x144]]);
  });

  it('that are no longer wanted keep their bytes, and are not shown', () => {
    const before = planned(over, { wanted: [pri, ats] }).layout.placements;
    const { layout, guestConfigSpace } = planned(over, { wanted: [wholePasid], decided: before });
    expect(layout.placements.map(({ offset }) => offset)).toEqual([0x14c]);
    expect(walkOf(guestConfigSpace)).toBe('100 14c');
  });

  it('are refused rather than moved when their place is lost', () => {
    const decided = planned(over).layout.placements;
    const updated = surveyOf({ extended: [aer, { id: 0x0f, offset: 0x134 }] });
    expect(refusalOf(updated, { decided })).toMatchObject({ kind: 'no-place', refused: [
      { strategy: 'gap', because: { kind: 'offset-occupied', by: 'ATS' } }] });
    const listing = surveyOf({ extended: [aer, { id: 0x1b, offset: 0x200 }] });
    expect(reasonsOf(refusalOf(listing, { decided }))).toMatchObject([{ kind: 'listed-already', offset: 0x200 }]);
  });
});

describe('a capability of the standard list', () => {
  const msix = { id: 0x11, offset: 0xc8, body: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0] } as const;
  const table = policy({ strategies: ['table'] });
  const cliqueIn = (standard: readonly { readonly id: number; readonly offset: number }[]) =>
    planned(surveyOf({ ...gpu, standard }), { wanted: [clique], policy: table });

  it('is linked by the same rule: the clique at C8', () => {
    const { layout, guestConfigSpace: guest } = cliqueIn([{ id: 0x01, offset: 0x60 }, { id: 0x05, offset: 0x68 }]);
    expect(layout.placements).toMatchObject([{ space: 'standard', offset: 0xc8, strategy: 'table' }]);
    expect([guest.u8(0x69), guest.u32(0xc8), guest.u32(0xcc)]).toEqual([0xc8, 0x50080009, (3 << 19) | 0x5032]);
    expect(layout.standardList.map(({ offset, origin }) => [offset, origin]))
      .toEqual([[0x60, 'physical'], [0x68, 'physical'], [0xc8, 'synthetic']]);
  });

  it('at D4 where C8 is taken, by a body as well as by a header', () => {
    expect(cliqueIn([msix]).layout.placements).toMatchObject([
      { offset: 0xd4, refused: [{ because: { kind: 'offset-occupied', by: 'MSIX' } }] }]);
    expect(cliqueIn([{ ...msix, offset: 0xc4 }]).layout.placements).toMatchObject([{ offset: 0xd4 }]);
  });

  it('begins a list where there is none: pointer and status bit', () => {
    const { guestConfigSpace: guest, layout } = cliqueIn([]);
    expect([guest.u8(0x34), guest.u16(0x06) & 0x10]).toEqual([0xc8, 0x10]);
    expect(survey(guest).capabilities.map(({ offset }) => offset)).toEqual([0xc8]);
    expect(layout.patches.map(({ offset }) => offset)).toEqual([0x04, 0x34, 0xc8, 0xcc]);
  });

  it('goes nowhere when both places are taken, and never into a gap', () => {
    const both = surveyOf({ ...gpu, standard: [msix, { id: 0x01, offset: 0xd4 }] });
    expect(reasonsOf(refusalOf(both, { wanted: [clique], policy: policy({ strategies: ['table', 'gap'] }) })))
      .toMatchObject([{ by: 'MSIX' }, { by: 'PM' }, { kind: 'place-is-fixed', offsets: [0xc8, 0xd4] }]);
  });

  it('is for the functions its row names', () => {
    expect(refusalOf(over, { wanted: [clique] })).toMatchObject({ kind: 'capability-not-for-function',
      name: 'nvidia-clique' });
  });

  it('needs no extended space, and a whole standard list', () => {
    const small = surveyOf({ ...gpu, size: 256 });
    expect(planned(small, { wanted: [clique], policy: table }).layout.placements).toMatchObject([{ offset: 0xc8 }]);
    const loop = surveyOf({ ...gpu, standard: [{ id: 0x01, offset: 0x60, next: 0x60 }] });
    expect(refusalOf(loop, { wanted: [clique] })).toMatchObject({ kind: 'standard-list-broken' });
  });

  it('the VMD shadow at E8 with what the host has there', () => {
    const vmd = surveyOf({ vendorId: 0x8086, deviceId: 0x9a0b, classCode: 0x010400 });
    const wanted: readonly WantedCapability[] = [{ name: 'vmd-shadow', registers: { membar1Lower: 0xdeadb000 } }];
    const { guestConfigSpace: guest } = planned(vmd, { wanted, policy: table });
    expect([guest.u32(0xe8), guest.u32(0xec), guest.u32(0xf0)]).toEqual([0x01180009, 0x53484457, 0xdeadb000]);
  });
});
