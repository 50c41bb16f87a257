import { type ConfigSpace, ConfigSpace as Space } from './config-space.js';
import { extendedHeader } from './testing/build-config-space.js';
import { expectSound } from './testing/expect-sound.js';

/** Every world: for each place its own choice, an index into `choices`. */
function* worlds(places: number, choices: number): Generator<readonly number[]> {
  for (let world = 0; world < choices ** places; world += 1) {
    yield Array.from({ length: places }, (_, place) => Math.floor(world / choices ** place) % choices);
  }
}

/** A second, simpler reading of the rules: where a list leads when each place points as told. */
function offsetsReached(head: number, least: number, nextOf: ReadonlyMap<number, number>): readonly number[] {
  const reached: number[] = [];
  for (let at = head & ~3; at >= least && !reached.includes(at) && nextOf.has(at); at = (nextOf.get(at) ?? 0) & ~3) {
    reached.push(at);
  }
  return reached;
}

function spaceOf(bytes: Uint8Array): ConfigSpace {
  const given = Space.from(bytes);
  if (!given.ok) throw new Error(given.refusal.limit);
  return given.value;
}

describe('every world of four places', () => {
  it('in the extended list: every pointer, loop, misalignment and fall below 0x100', () => {
    const places = [0x100, 0x104, 0x10c, 0x110];
    const nexts = [0, ...places, 0x0fc, 0x106];
    const ids = [0x03, 0x1b];
    let count = 0;
    for (const world of worlds(places.length, nexts.length * ids.length)) {
      const bytes = new Uint8Array(4096);
      const view = new DataView(bytes.buffer);
      const nextOf = new Map<number, number>();
      places.forEach((place, index) => {
        const choice = world[index] ?? 0;
        const next = nexts[choice % nexts.length] ?? 0;
        view.setUint32(place, extendedHeader(ids[Math.floor(choice / nexts.length)] ?? 0, 1, next), true);
        nextOf.set(place, next);
      });
      const { capabilities } = expectSound(spaceOf(bytes));
      const found = capabilities.map(({ offset }) => offset).join();
      if (found !== offsetsReached(0x100, 0x100, nextOf).join()) throw new Error(`world ${world.join()}: ${found}`);
      count += 1;
    }
    expect(count).toBe(14 ** 4);
  }, 60_000);

  it('in the standard list: every head, pointer, loop, misalignment and pointer into the header', () => {
    const places = [0x40, 0x44, 0x4c, 0xfc];
    const nexts = [0, ...places, 0x3c, 0x47, 0x01];
    let count = 0;
    for (const [head = 0, ...world] of worlds(places.length + 1, nexts.length)) {
      const bytes = new Uint8Array(256);
      bytes[0x06] = 0x10;
      bytes[0x34] = nexts[head] ?? 0;
      const nextOf = new Map<number, number>();
      places.forEach((place, index) => {
        const next = nexts[world[index] ?? 0] ?? 0;
        bytes.set([index % 2 === 0 ? 0x01 : 0x09, next], place);
        nextOf.set(place, next);
      });
      const { capabilities } = expectSound(spaceOf(bytes));
      const found = capabilities.map(({ offset }) => offset).join();
      const expected = offsetsReached(nexts[head] ?? 0, 0x40, nextOf).join();
      if (found !== expected) throw new Error(`head ${head}, world ${world.join()}: ${found}, not ${expected}`);
      count += 1;
    }
    expect(count).toBe(8 ** 5);
  }, 60_000);
});
