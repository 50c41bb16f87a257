import { type ByteRange, type Survey } from '@cadastre/config-space';
import { u32 } from '@cadastre/config-space/testing';
import { cautionsAt, neighbourCautions } from './cautions.js';
import { groundOf, surveyOf } from './testing.js';

const aer = { id: 0x01, offset: 0x100 } as const;
const eightAt = (offset: number): ByteRange => ({ offset, length: 8 });
const near = (offset: number, over: Survey) => neighbourCautions(eightAt(offset), groundOf(over));
const cautions = (offset: number, over: Survey) => cautionsAt(eightAt(offset), groundOf(over));

describe('a careful operator is told', () => {
  it('nothing of a place far from everything in a function with both lists', () => {
    expect(cautions(0x800, surveyOf({ extended: [aer] }))).toEqual([]);
  });

  it('that a list has to be begun', () => {
    expect(cautions(0x800, surveyOf({}))).toEqual([{ kind: 'no-extended-list' }]);
  });

  it('that guests may not look there, when nothing says PCI Express', () => {
    expect(cautions(0x800, surveyOf({ standard: [], extended: [aer] }))).toEqual([{ kind: 'no-express-capability' }]);
  });

  it('of a capability that ends less than 8 bytes before the place', () => {
    const over = surveyOf({ extended: [aer] });
    const behind = [{ kind: 'right-behind-capability', name: 'AER', end: 0x12c }];
    expect([near(0x12c, over), near(0x130, over), near(0x134, over)]).toEqual([behind, behind, []]);
  });

  it('of an unlinked one that does', () => {
    const over = surveyOf({ extended: [aer, { id: 0x18, offset: 0x300 }], unlinked: [
      { id: 0x04, offset: 0x200, next: 0x300 }] });
    expect(near(0x214, over)).toEqual([{ kind: 'right-behind-capability', name: 'PB', end: 0x210 }]);
    expect(near(0x218, over)).toEqual([]);
  });

  it('not of a capability of the standard space, which ends below 0x100', () => {
    const over = surveyOf({ standard: [{ id: 0x09, offset: 0xf0, body: [0x10] }] });
    expect(near(0x100, over)).toEqual([]);
  });

  it('of bytes that only look like an unlinked capability, in its whole length', () => {
    const over = surveyOf({ extended: [aer], unlinked: [{ id: 0x04, offset: 0x200, body: u32(0) }] });
    const weak = [{ kind: 'inside-weak-header', id: 0x04, offset: 0x200, length: 0x10 }];
    expect([near(0x204, over), near(0x20c, over), near(0x210, over)]).toEqual([weak, weak, []]);
  });

  it('of the function first, of neighbours then', () => {
    expect(cautions(0x204, surveyOf({ standard: [], unlinked: [{ id: 0x04, offset: 0x200 }] })).map(({ kind }) => kind))
      .toEqual(['no-extended-list', 'no-express-capability', 'inside-weak-header']);
  });
});
