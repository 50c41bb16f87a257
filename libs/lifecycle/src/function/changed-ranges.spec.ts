import { buildConfigSpace } from '@cadastre/config-space/testing';
import { type ConfigSpace } from '@cadastre/config-space';
import { endpoint, observation } from '../testing.js';
import { type ByteOwner, changedRanges } from './changed-ranges.js';
import { type Observation } from './observation.js';

const seen = (space: ConfigSpace): Observation => observation({}, space);
const named = ({ owner, capability }: ByteOwner): string => capability?.row.name ?? owner;
const told = (before: Observation, after: Observation): readonly string[] => changedRanges(before, after)
  .map((one) => `${one.offset.toString(16)}+${one.length} ${named(one.before)} -> ${named(one.after)}`);

/** The endpoint with bytes poured over it. */
function withBytes(bytes: Readonly<Record<number, readonly number[]>>): Observation {
  const image = endpoint().toBytes();
  for (const [at, values] of Object.entries(bytes)) image.set(values, Number(at));
  const space = endpoint();
  return seen(space.patched(Array.from({ length: image.length / 4 }, (_, index) => ({
    offset: index * 4 as never, mask: 0xffffffff, value: new DataView(image.buffer).getUint32(index * 4, true),
  }))));
}

describe('the bytes a new look changed', () => {
  it('are none between equal looks, and a byte alone is found, wherever it is', () => {
    expect(told(seen(endpoint()), seen(endpoint()))).toEqual([]);
    for (let at = 0; at < 4096; at += 65) {
      const before = seen(endpoint());
      const after = withBytes({ [at]: [(endpoint().u8(at) ^ 0x01)] });
      expect(changedRanges(before, after)).toMatchObject([{ offset: at, length: 1 }]);
    }
  });

  it('are named by who held them before and after', () => {
    expect(told(seen(endpoint()), withBytes({ 0x08: [0x07], 0x104: [1, 2], 0x200: [9] }))).toEqual([
      '8+1 header -> header', '104+2 AER -> AER', '200+1 zero -> unknown-non-zero',
    ]);
  });

  it('are one range as long as they have one owner, and two where it changes', () => {
    expect(told(seen(endpoint()), withBytes({ 0x12a: [1, 2, 3, 4] }))).toEqual([
      '12a+2 AER -> AER', '12c+2 zero -> unknown-non-zero',
    ]);
  });

  it('are all bytes a function grew by', () => {
    const small = seen(buildConfigSpace({ size: 256 }));
    expect(changedRanges(small, seen(buildConfigSpace({}))).at(-1)).toMatchObject({
      offset: 256, length: 4096 - 256, before: { owner: 'not-captured' }, after: { owner: 'zero' },
    });
  });
});
