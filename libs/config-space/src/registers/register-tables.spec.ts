import { capabilityCatalogue } from '../catalogue/capability-catalogue.js';
import { type CapabilitySpace } from '../catalogue/capability-row.js';
import { type Field, type RegisterBlock } from './field.js';
import { registerTables } from './register-tables.js';

const spaces: readonly CapabilitySpace[] = ['standard', 'extended'];
const tables = spaces.flatMap((space) => Object.entries(registerTables[space]).map(([id, blocks]) =>
  [`${space} ${capabilityCatalogue[space][Number(id)]?.name}`, space, Number(id), blocks] as const));

const everyBlock = (blocks: readonly RegisterBlock[]): readonly RegisterBlock[] =>
  blocks.flatMap((block) => [block, ...everyBlock(block.inside ?? [])]);

const bitsOf = ([at, , lsb, width]: Field): readonly number[] =>
  Array.from({ length: width }, (_, index) => at * 8 + lsb + index);

describe.each(tables)('the registers of %s', (_, space, id, blocks) => {
  it('belong to a capability of the catalogue', () => {
    expect(capabilityCatalogue[space][id]?.id).toBe(id);
  });

  it('lie inside their register, which is aligned to its size', () => {
    for (const { fields } of everyBlock(blocks)) {
      for (const [name, [at, bytes, lsb, width]] of Object.entries(fields)) {
        expect([name, at % bytes, width > 0 && lsb + width <= bytes * 8]).toEqual([name, 0, true]);
      }
    }
  });

  it('do not share bits', () => {
    for (const { name, fields } of everyBlock(blocks)) {
      const taken = Object.values(fields).flatMap(bitsOf);
      expect([name, taken.length]).toEqual([name, new Set(taken).size]);
    }
  });

  it('leave the list header alone', () => {
    const headerBytes = space === 'standard' ? 2 : 4;
    const fixed = blocks.filter(({ from }) => from === undefined).flatMap(({ fields }) => Object.values(fields));
    expect(fixed.filter(([at]) => at < headerBytes)).toEqual([]);
  });

  it('fit into a fixed length, where the capability has one', () => {
    const length = capabilityCatalogue[space][id]?.length;
    if (typeof length !== 'number') return;
    const ends = blocks.filter(({ from }) => from === undefined)
      .flatMap(({ fields }) => Object.values(fields).map(([at, bytes]) => at + bytes));
    expect(Math.max(...ends)).toBeLessThanOrEqual(length);
  });

  it('have one name each', () => {
    const names = everyBlock(blocks).map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });
});
