import { type ExtendedEntry } from '@cadastre/config-space/testing';
import { type DvsecRoomRow, knownDvsecRooms, roomsTold } from './dvsec-room.js';
import { explainByte } from './explain-byte.js';
import { layoutDocument } from './make-layout-document.js';
import { planned, policy, surveyOf } from './testing.js';

/** Of a device that exists in this test alone: QEMU's vendor, an ID nobody gave out. */
const row: DvsecRoomRow = {
  vendorId: 0x1b36, dvsecId: 0x7e57, revisions: { least: 1, most: 2 }, name: 'pasid',
  offset: [0x0c, 0, 12], length: [0x0c, 16, 12], source: 'a test',
};

/** A DVSEC of 16 bytes at 0x200: 256 bytes of room at 0x400, unless a test says otherwise. */
function dvsec({ vendor = 0x1b36, id = 0x7e57, revision = 1, length = 16, offset = 0x400, room = 0x100 } = {}):
ExtendedEntry {
  const word = (value: number): readonly number[] => [value & 0xff, value >>> 8];
  return { id: 0x23, offset: 0x200, body: [
    ...word(vendor), ...word(revision | (length << 4)), ...word(id), 0, 0, ...word(offset), ...word(room)] };
}

const over = (change: Parameters<typeof dvsec>[0] = {}, bytes: Readonly<Record<number, readonly number[]>> = {}) =>
  surveyOf({ extended: [{ id: 0x01, offset: 0x100 }, dvsec(change)], bytes });
const anyStrategy = policy({ strategies: ['physical', 'dvsec', 'gap'] });

describe('room a parsed DVSEC tells of', () => {
  it('is told of no vendor yet: none has published such a DVSEC', () => {
    expect(knownDvsecRooms).toEqual([]);
    expect(planned(over(), { policy: anyStrategy }).layout.placements).toMatchObject([{ strategy: 'gap' }]);
  });

  it('is a finding of the survey, with its range, its capability and its source', () => {
    expect(roomsTold(over(), [row])).toEqual([{
      by: 'dvsec', source: 'DVSEC 1b36:7e57 revision 1 at 0x200', name: 'pasid',
      range: { offset: 0x400, length: 0x100 } }]);
  });

  it('reaches the planner, the evidence of the decision, and the document', () => {
    const survey = over();
    const { layout, guestConfigSpace } = planned(survey, { policy: anyStrategy, dvsecs: [row] });
    const source = 'DVSEC 1b36:7e57 revision 1 at 0x200';
    expect(layout).toMatchObject({
      placements: [{ offset: 0x400, strategy: 'dvsec', reason: { kind: 'device-told-it', by: 'dvsec', source } }],
      evidence: { told: [{ by: 'dvsec', source }] } });
    expect(explainByte(layoutDocument(survey, layout, guestConfigSpace), 0x404)).toMatchObject({
      by: 'dvsec', rule: 'dvsec', note: `pasid: ${source} tells of room here` });
  });

  it('is no proof: a byte in use stays in use', () => {
    const used = over({}, { 0x402: [1] });
    expect(planned(used, { policy: anyStrategy, dvsecs: [row] }).layout.placements[0]?.offset).toBe(0x404);
  });

  it('comes behind what an operator tells', () => {
    const range = { offset: 0x500, length: 8 };
    const told = [{ by: 'operator', source: 'data sheet', name: 'pasid', range }] as const;
    expect(planned(over(), { policy: anyStrategy, dvsecs: [row], told }).layout).toMatchObject({
      placements: [{ offset: 0x500, reason: { by: 'operator' } }],
      evidence: { told: [{ by: 'operator', source: 'data sheet' }, { by: 'dvsec' }] } });
  });

  it.each([
    ['of another vendor', { vendor: 0x1af4 }], ['of another ID', { id: 0x7e58 }],
    ['of an earlier revision', { revision: 0 }], ['of a later revision', { revision: 3 }],
    ['too short for its registers', { length: 12 }], ['shorter than its own headers', { length: 8 }],
    ['without room', { room: 0 }],
  ])('is not told by a DVSEC %s', (_what, change) => {
    expect(roomsTold(over(change), [row])).toEqual([]);
  });

  it('may have a length that is the same in every device, and be for any capability', () => {
    expect(roomsTold(over({ room: 0 }), [{ ...row, length: 0x40, name: null }]))
      .toMatchObject([{ name: null, range: { offset: 0x400, length: 0x40 } }]);
  });
});

describe('room an operator tells of', () => {
  it('is the operator\'s in the document, whoever they quote', () => {
    const survey = surveyOf({ extended: [{ id: 0x01, offset: 0x100 }] });
    const told = [{ by: 'operator', source: 'plugin x 1', name: null, range: { offset: 0x400, length: 8 } }] as const;
    const { layout, guestConfigSpace } = planned(survey, { policy: anyStrategy, told });
    expect(explainByte(layoutDocument(survey, layout, guestConfigSpace), 0x404)).toMatchObject({
      by: 'operator', rule: 'dvsec', note: 'pasid: the operator tells of room here (plugin x 1)' });
  });
});
