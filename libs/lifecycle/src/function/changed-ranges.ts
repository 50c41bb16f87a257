import { type ByteRange, type Capability, type Owner, survey, type Survey } from '@cadastre/config-space';
import { Observation } from './observation.js';

/** Who held a byte; `capability` tells which one where the owner is one. */
export interface ByteOwner {
  readonly owner: Owner;
  readonly capability: Capability | undefined;
}

/** Bytes that read otherwise than before, and who held them then and now. */
export interface ChangedRange extends ByteRange {
  readonly before: ByteOwner;
  readonly after: ByteOwner;
}

/** The bytes in which two looks at a function differ, in offset order; one range has one owner before and after. */
export function changedRanges(before: Observation, after: Observation): readonly ChangedRange[] {
  const [then, now] = [surveyed(before), surveyed(after)];
  const ranges: ChangedRange[] = [];
  for (let at = 0; at < Math.max(then.space.size, now.space.size); at += 1) {
    if (byteAt(then, at) === byteAt(now, at)) continue;
    const changed = { offset: at, length: 1, before: ownerAt(then, at), after: ownerAt(now, at) };
    const last = ranges.at(-1);
    if (last && continues(last, changed)) ranges[ranges.length - 1] = { ...last, length: last.length + 1 };
    else ranges.push(changed);
  }
  return ranges;
}

function surveyed(observation: Observation): Survey {
  return survey(Observation.configSpace(observation), observation.sriov.role);
}

/** Nothing behind the end: a function may have had 256 bytes before its firmware gave it 4096. */
function byteAt({ space }: Survey, at: number): number | undefined {
  return at < space.size ? space.u8(at) : undefined;
}

function ownerAt({ space, owners }: Survey, at: number): ByteOwner {
  return at < space.size ? owners.ownerAt(at) : { owner: 'not-captured', capability: undefined };
}

function continues(range: ChangedRange, { offset, before, after }: ChangedRange): boolean {
  return range.offset + range.length === offset && isSame(range.before, before) && isSame(range.after, after);
}

function isSame(one: ByteOwner, other: ByteOwner): boolean {
  return one.owner === other.owner && one.capability === other.capability;
}
