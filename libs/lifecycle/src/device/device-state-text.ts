import { Digest } from '@cadastre/device-layout';
import { type DeviceState } from './device-decider.js';
import { readPasidBlock, writePasidBlock } from './pasids/pasid-block-text.js';
import { type PasidBlock, PasidTable } from './pasids/pasid-table.js';

/** A state as text, and apart from it the blocks of PASIDs: two states of one device share most of them. */
export interface StateText {
  readonly text: string;
  readonly parts: readonly StatePart[];
}

export interface StatePart {
  /** Digest of its text. */
  readonly name: Digest;
  /** Asked for only when the part is not kept yet. */
  readonly text: () => string;
}

/** Blocks never change, so each is named once, however many states have it. */
const names = new WeakMap<PasidBlock, Digest>();

/** The state as text. Nothing of it is lost: `readDeviceState` gives the same state. */
export function writeDeviceState(state: DeviceState): StateText {
  if (state.kind !== 'attached') return { text: JSON.stringify({ state, count: 0, blocks: [] }), parts: [] };
  const { attached, ...pasids } = state.pasids;
  const parts = [...PasidTable.blocks(attached)].map(([first, block]) => [first, partOf(block)] as const);
  const blocks = parts.map(([first, { name }]) => [first, name]);
  return {
    text: JSON.stringify({ state: { ...state, pasids }, count: attached.count, blocks }),
    parts: parts.map(([, part]) => part),
  };
}

/**
 * Reads back what `writeDeviceState` wrote.
 * @param partNamed the text of a part; undefined when it is lost, and so is the state then
 */
export function readDeviceState(
  text: string, partNamed: (name: Digest) => string | undefined,
): DeviceState | undefined {
  const { state, count, blocks } = JSON.parse(text) as {
    readonly state: DeviceState; readonly count: number; readonly blocks: readonly (readonly [number, Digest])[];
  };
  if (state.kind !== 'attached') return state;
  const read = blocks.flatMap(([first, name]): (readonly [number, PasidBlock])[] => {
    const part = partNamed(name);
    return part === undefined ? [] : [[first, blockNamed(name, part)]];
  });
  // All were asked for: whoever keeps them learns of each that is lost.
  if (read.length < blocks.length) return undefined;
  return { ...state, pasids: { ...state.pasids, attached: PasidTable.of(count, read) } };
}

function blockNamed(name: Digest, text: string): PasidBlock {
  const block = readPasidBlock(text);
  names.set(block, name);
  return block;
}

function partOf(block: PasidBlock): StatePart {
  const known = names.get(block);
  if (known) return { name: known, text: () => writePasidBlock(block) };
  const text = writePasidBlock(block);
  const name = Digest.of(text);
  names.set(block, name);
  return { name, text: () => text };
}
