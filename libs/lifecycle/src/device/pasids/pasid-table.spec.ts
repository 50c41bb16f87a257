import { Pasid } from '@cadastre/config-space';
import { canonicalJson } from '@cadastre/device-layout';
import fc from 'fast-check';
import { seed, sure } from '../../testing.js';
import { type PageTable } from './page-table.js';
import { PasidTable } from './pasid-table.js';

const pasid = (given: number): Pasid => sure(Pasid.from(given));
const hwpt = (ptId: number): PageTable =>
  ({ requested: { kind: 'hwpt', ptId }, resultingPtId: ptId, hwptFlags: ['pasid'], faultId: null });
const all = (table: PasidTable): readonly (readonly [number, PageTable])[] => PasidTable.page(table, -1, 2 ** 20);

/** Few PASIDs, so that changes meet, at the edges of rows and blocks and of the whole space. */
const anyPasid = fc.constantFrom(0, 1, 2, 31, 32, 1_022, 1_023, 1_024, 1_025, 32_767, 32_768, 2 ** 20 - 1).map(pasid);
const anyChanges = fc.array(fc.tuple(anyPasid, fc.option(fc.nat(9).map(hwpt))), { maxLength: 40 });

describe(`a table of PASIDs (CADASTRE_SEED=${seed})`, () => {
  it('is a map, after any changes, and every table before them is as it was', () => {
    fc.assert(fc.property(anyChanges, (changes) => {
      const model = new Map<number, PageTable>();
      let table = PasidTable.empty;
      const before: [PasidTable, string][] = [];
      for (const [at, attached] of changes) {
        before.push([table, canonicalJson(table)]);
        table = PasidTable.with(table, at, attached);
        if (attached) model.set(at, attached);
        else model.delete(at);
        expect([table.count, PasidTable.get(table, at)]).toEqual([model.size, attached]);
      }
      expect(all(table)).toEqual([...model].sort(([one], [other]) => one - other));
      for (const [old, text] of before) expect(canonicalJson(old)).toBe(text);
    }), { seed, numRuns: 100 });
  });

  it('is the same to the letter however it came about', () => {
    fc.assert(fc.property(anyChanges, (changes) => {
      const table = changes.reduce((one, [at, attached]) => PasidTable.with(one, at, attached), PasidTable.empty);
      const anew = [...all(table)].reverse()
        .reduce((one, [at, attached]) => PasidTable.with(one, pasid(at), attached), PasidTable.empty);
      expect(canonicalJson(anew)).toBe(canonicalJson(table));
    }), { seed, numRuns: 100 });
  });

  it('is read in pages that leave nothing out', () => {
    fc.assert(fc.property(anyChanges, fc.integer({ min: 1, max: 4 }), (changes, limit) => {
      const table = changes.reduce((one, [at, attached]) => PasidTable.with(one, at, attached), PasidTable.empty);
      const read: (readonly [number, PageTable])[] = [];
      for (let after = -1; ;) {
        const page = PasidTable.page(table, after, limit);
        expect(page.length).toBeLessThanOrEqual(limit);
        read.push(...page);
        const last = page.at(-1);
        if (!last) break;
        [after] = last;
      }
      expect(read).toEqual(all(table));
    }), { seed, numRuns: 100 });
  });
});
