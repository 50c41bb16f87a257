import {
  explainAlternative, explainCaution, explainPlacement, explainReason, explainRefusal,
} from './explain.js';
import { type PlacementReason } from './layout.js';
import { type Because, type BrokenList, type Caution, type LayoutRefusal, type RefusedAlternative } from './refusal.js';
import { planned, surveyOf } from './testing.js';

/** At least one example of every kind, each with its line: a kind without one does not compile. */
type Examples<Told extends { readonly kind: string }> = {
  readonly [Kind in Told['kind']]: readonly (readonly [Extract<Told, { readonly kind: Kind }>, string])[];
};

type Lines<Told> = readonly (readonly [Told, string])[];

function linesOf<Told extends { readonly kind: string }>(examples: Examples<Told>): Lines<Told> {
  return Object.values(examples).flat() as unknown as Lines<Told>;
}

const reasons: Examples<PlacementReason> = {
  'operator-pinned-it': [[{ kind: 'operator-pinned-it' },
    'the operator pinned this offset, and nothing else holds these bytes']],
  'hardware-has-it-here': [[{ kind: 'hardware-has-it-here' }, 'the hardware lists it here']],
  'physical-function-has-it-here': [[{ kind: 'physical-function-has-it-here', pf: '0000:3b:00.0' },
    'its physical function 0000:3b:00.0 has it here']],
  'persona-has-it-here': [[{ kind: 'persona-has-it-here', persona: 'gpu-v1@1' }, 'persona gpu-v1@1 has it here']],
  'device-told-it': [
    [{ kind: 'device-told-it', by: 'dvsec', source: 'DVSEC 1af4:0001 revision 1 at 0x200' },
      'DVSEC 1af4:0001 revision 1 at 0x200 tells of room here'],
    [{ kind: 'device-told-it', by: 'operator', source: 'data sheet' },
      'the operator tells of room here (data sheet)'],
  ],
  'table-has-it-here': [[{ kind: 'table-has-it-here', row: 'dlb' }, 'row dlb of the quirk table has it here']],
  'its-place-is-fixed': [[{ kind: 'its-place-is-fixed', offsets: [0xc8, 0xd4] },
    'the first free one of the places it may have: 0xc8, 0xd4']],
  'lowest-proven-gap': [[{ kind: 'lowest-proven-gap', gapOffset: 0x12c, gapLength: 0xd4 },
    'lowest place proven free, in the gap 0x12c..0x1ff']],
  'guest-has-it-here': [[{ kind: 'guest-has-it-here', decided: 0x154 },
    'its VMM put it here, and not at 0x154 as was decided: the guest has found it']],
};

const cautions: Examples<Caution> = {
  'no-extended-list': [[{ kind: 'no-extended-list' },
    'the function has no extended capability list: one is begun at 0x100']],
  'no-express-capability': [[{ kind: 'no-express-capability' },
    'the function has no PCI Express capability: guests may not look above 0xff']],
  'right-behind-capability': [[{ kind: 'right-behind-capability', name: 'AER', end: 0x12c },
    'AER ends right before it: its last byte is 0x12b']],
  'physical-function-not-seen': [
    [{ kind: 'physical-function-not-seen', pf: '0000:3b:00.0' },
      'the place of the physical function 0000:3b:00.0 is not known: register it to follow it'],
    [{ kind: 'physical-function-not-seen', pf: null },
      'the place of the physical function (not named) is not known: register it to follow it'],
  ],
  'inside-doubtful-range': [[
    { kind: 'inside-doubtful-range', row: 'be2net', offset: 0x100, length: 0x10, source: 'a comment' },
    '0x100..0x10f are doubtful: be2net: a comment']],
  'ignored-by-guests': [[{ kind: 'ignored-by-guests', row: 'amd', source: 'quirks.c' },
    'guests may ignore it in this function: amd: quirks.c']],
  'nothing-behind-it': [[{ kind: 'nothing-behind-it', id: 0x0f },
    'no hardware here is known to answer for capability 0x000f']],
  'was-elsewhere': [[{ kind: 'was-elsewhere', offset: 0x300 },
    'an earlier layout of this device had it at 0x300: its guest must look again']],
  'ids-not-known': [[{ kind: 'ids-not-known', vendorId: 0x8086 },
    'the IDs of the VF read all-ones and its physical function does not tell them: rows of the quirk table are those '
      + 'of vendor 0x8086, its subsystem\'s, for any device']],
  'inside-weak-header': [[{ kind: 'inside-weak-header', id: 0x04, offset: 0x200, length: 0x10 },
    '0x200..0x20f look like an unlinked capability 0x0004']],
};

const becauses: Examples<Because> = {
  'no-offset-pinned': [[{ kind: 'no-offset-pinned' }, 'no offset was given']],
  'offset-unaligned': [[{ kind: 'offset-unaligned', offset: 0x102, alignment: 4 },
    'offset 0x102 is not a multiple of 4']],
  'outside-extended-space': [[{ kind: 'outside-extended-space', offset: 0xffc, length: 8, least: 0x100, most: 0xff8 },
    'offset 0xffc is not in 0x100..0xff8, where 8 bytes fit into extended config space']],
  'outside-standard-space': [[{ kind: 'outside-standard-space', offset: 0x100, length: 8, least: 0x40, most: 0xf8 },
    'offset 0x100 is not in 0x40..0xf8, where 8 bytes fit into standard config space']],
  'seen-in-use': [[
    { kind: 'seen-in-use', offset: 0x200, length: 8, at: 0x204, owner: 'unknown-non-zero', source: 'unit 2' },
    '0x200..0x207 is free here, but unit 2 shows unknown-non-zero at 0x204']],
  'no-persona': [[{ kind: 'no-persona' }, 'no persona was given']],
  'not-in-persona': [[{ kind: 'not-in-persona', persona: 'gpu-v1@1' }, 'persona gpu-v1@1 does not have it']],
  'nothing-told': [[{ kind: 'nothing-told' }, 'the device tells of no room for it']],
  'no-row': [[{ kind: 'no-row' }, 'no row of the quirk table has a place for it here']],
  'place-is-fixed': [[{ kind: 'place-is-fixed', offsets: [0xc8, 0xd4] }, 'it may only be at 0xc8 or 0xd4']],
  'outside-allowed-ranges': [[{ kind: 'outside-allowed-ranges', offset: 0x300, length: 8, allowed: [
    { offset: 0x200, length: 8 }, { offset: 0x400, length: 0x100 }] },
    '0x300..0x307 is not inside 0x200..0x207, 0x400..0x4ff']],
  'forbidden': [[
    { kind: 'forbidden', offset: 0x400, length: 8, range: { offset: 0x404, length: 4 }, reason: 'scratch' },
    '0x400..0x407 meets the forbidden 0x404..0x407: scratch']],
  'offset-occupied': [
    [{ kind: 'offset-occupied', offset: 0x1ec, length: 8, by: 'ATS', owner: 'capability', from: 0x1f0, to: 0x1f7 },
      '0x1ec..0x1f3 meets ATS at 0x1f0..0x1f7'],
    [{ kind: 'offset-occupied', offset: 0xff8, length: 8, by: 'unknown-non-zero', owner: 'unknown-non-zero',
      from: 0xffe, to: 0xfff }, '0xff8..0xfff meets unknown-non-zero at 0xffe..0xfff'],
  ],
  'not-in-hardware': [[{ kind: 'not-in-hardware', id: 0x1b }, 'no hardware here lists capability 0x001b']],
  'physical-function-unknown': [
    [{ kind: 'physical-function-unknown', pf: '0000:3b:00.0' },
      'the physical function 0000:3b:00.0 is not registered'],
    [{ kind: 'physical-function-unknown', pf: null }, 'the VF was registered without its physical function'],
  ],
  'listed-already': [[{ kind: 'listed-already', offset: 0x2d0 },
    'the hardware lists it at 0x2d0; a second one would shadow it']],
  'listed-twice': [[{ kind: 'listed-twice', id: 0x1b, offset: 0x2d0, again: 0x400 },
    'the hardware lists 0x001b at 0x2d0 and at 0x400: nothing tells which one it means']],
  'list-cannot-begin': [[{ kind: 'list-cannot-begin', offset: 0x200, because: {
    kind: 'forbidden', offset: 0x100, length: 4, range: { offset: 0x100, length: 0x10 }, reason: 'kept' } },
    'for 0x200 the empty list needs a header at 0x100: 0x100..0x103 meets the forbidden 0x100..0x10f: kept']],
  'gap-too-short': [[{ kind: 'gap-too-short', offset: 0x12c, length: 4, needed: 8 },
    'the gap 0x12c..0x12f has 4 bytes, 8 are needed']],
  'further-gaps': [[{ kind: 'further-gaps', count: 4 }, '4 further gaps hold no place either']],
  'no-gap': [[{ kind: 'no-gap', needed: 8 }, 'no gap holds 8 proven-free bytes']],
};

const brokenLists: Examples<BrokenList> = {
  'capability-list-loops': [[{ kind: 'capability-list-loops', space: 'extended', at: 0x200, pointer: 0x100 },
    '0x200 leads back to 0x100']],
  'pointer-below-space': [[
    { kind: 'pointer-below-space', space: 'extended', at: 0x200, pointer: 0x40, least: 0x100 },
    '0x200 leads to 0x40, below 0x100']],
  'header-all-ones': [[{ kind: 'header-all-ones', space: 'extended', offset: 0x300 },
    'the header at 0x300 reads 0xffffffff']],
  'header-zero': [[{ kind: 'header-zero', space: 'extended', offset: 0x300 },
    'it leads to 0x300, where there is no header']],
  'header-not-captured': [[{ kind: 'header-not-captured', space: 'extended', offset: 0x300 },
    'it leads to 0x300, which was not captured']],
};

const gapTooShort: RefusedAlternative = {
  strategy: 'gap', because: { kind: 'gap-too-short', offset: 0x12c, length: 4, needed: 8 } };

const refusals: Examples<LayoutRefusal> = {
  'space-not-whole': [[{ kind: 'space-not-whole', capturedBytes: 256, sizeBytes: 4096 },
    'only 256 of 4096 bytes were captured: read the space as root']],
  'function-gone': [[{ kind: 'function-gone' }, 'the header reads 0xff throughout: the function is gone, or asleep']],
  'no-extended-space': [[{ kind: 'no-extended-space', sizeBytes: 256 },
    'the function has 256 bytes of config space: no extended capability can exist']],
  'extended-space-unreadable': [[{ kind: 'extended-space-unreadable' },
    'the extended config space reads 0xffffffff at 0x100: it is not readable']],
  'extended-list-broken': linesOf(brokenLists).map(([finding, line]) => [
    { kind: 'extended-list-broken', finding }, `the hardware's extended list is broken: ${line}`]),
  'standard-list-broken': [[{ kind: 'standard-list-broken', finding: {
    kind: 'header-all-ones', space: 'standard', offset: 0x80 } },
  'the hardware\'s standard list is broken: the header at 0x80 reads 0xffffffff']],
  'capability-not-for-function': [[{ kind: 'capability-not-for-function', name: 'nvidia-clique', vendorId: 0x8086,
    deviceId: 0x10c9, classCode: 0x020000 },
  'nvidia-clique is for other functions than 0x8086:0x10c9 of class 0x020000']],
  'operation-impossible': ([
    [{ kind: 'not-listed', space: 'extended', id: 0x10 }, 'the hardware lists no extended capability 0x0010 there'],
    [{ kind: 'listed-more-than-once', id: 0x0b }, 'the hardware lists several 0x000b: name an offset'],
    [{ kind: 'meets-a-link', offset: 0x100 }, '0x100 links a list: hide the capability instead'],
    [{ kind: 'outside-space', offset: 0xffc, length: 8, sizeBytes: 4096 },
      '0xffc..0x1003 is not in the 4096 bytes of the space'],
    [{ kind: 'value-too-wide', value: 0x10000, bits: 16 }, '0x10000 does not fit 16 bits'],
    [{ kind: 'no-such-field' }, 'a bridge has no subsystem ID in its header'],
  ] as const).map(([because, line]) => [
    { kind: 'operation-impossible', index: 1, because, operation: {
      kind: 'scrub', offset: because.kind === 'meets-a-link' ? 0x100 : 0xffc, length: 8, reason: 'x' } },
    `operation 1 (scrub) is impossible: ${line}`]),
  'capability-wanted-twice': [[{ kind: 'capability-wanted-twice', name: 'pasid' }, 'pasid is wanted twice']],
  'no-place': [
    [{ kind: 'no-place', name: 'pasid', length: 8, refused: [
      { strategy: 'pinned', because: { kind: 'offset-unaligned', offset: 0x102, alignment: 4 } }, gapTooShort] },
      'no place for pasid (8 bytes): pinned: offset 0x102 is not a multiple of 4; '
      + 'gap: the gap 0x12c..0x12f has 4 bytes, 8 are needed'],
    [{ kind: 'no-place', name: 'pasid', length: 8, refused: [] },
      'no place for pasid (8 bytes): no strategy was allowed'],
  ],
};

/** The numbers of a value that are offsets, wherever they are in it. */
function offsetsIn(value: unknown): readonly number[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    (typeof member === 'number' && /offset|pointer|^at$|again|^from$|^to$/i.test(name) ? [member] : offsetsIn(member)));
}

function isOneLineWithItsOffsets(told: unknown, line: string): void {
  expect(line).not.toContain('\n');
  for (const offset of offsetsIn(told)) expect(line).toContain(`0x${offset.toString(16)}`);
}

describe('one line says', () => {
  it.each(linesOf(reasons))('why something is where it is: %p', (reason, line) => {
    expect(explainReason(reason)).toBe(line);
    isOneLineWithItsOffsets(reason, line);
  });

  it.each(linesOf(cautions))('what to know about a place: %p', (caution, line) => {
    expect(explainCaution(caution)).toBe(line);
    isOneLineWithItsOffsets(caution, line);
  });

  it.each(linesOf(becauses))('why an alternative was not taken: %p', (because, line) => {
    expect(explainAlternative({ strategy: 'gap', because })).toBe(`gap: ${line}`);
    isOneLineWithItsOffsets(because, line);
  });

  it.each(linesOf(refusals))('why there is no layout: %p', (refusal, line) => {
    expect(explainRefusal(refusal)).toBe(line);
    isOneLineWithItsOffsets(refusal.kind === 'operation-impossible' ? refusal.because : refusal, line);
  });

  it('what was placed, where, and how', () => {
    const { layout } = planned(surveyOf({ extended: [{ id: 0x01, offset: 0x100 }] }));
    expect(layout.placements.map(explainPlacement)).toEqual([
      'pasid at 0x134..0x13b by gap: lowest place proven free, in the gap 0x12c..0xfff']);
  });
});
