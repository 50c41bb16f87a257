import { ByteRange } from '@cadastre/config-space';
import { type OperationObstacle } from './layout-operation.js';
import { type Placement, type PlacementReason } from './layout.js';
import {
  type Because, type BrokenList, type Caution, type LayoutRefusal, type RefusedAlternative,
} from './refusal.js';

const hex = (value: number): string => `0x${value.toString(16)}`;
const id = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;

/** Why a capability is where it is, in one line. */
export function explainReason(reason: PlacementReason): string {
  switch (reason.kind) {
    case 'operator-pinned-it': return 'the operator pinned this offset, and nothing else holds these bytes';
    case 'hardware-has-it-here': return 'the hardware lists it here';
    case 'physical-function-has-it-here': return `its physical function ${reason.pf} has it here`;
    case 'persona-has-it-here': return `persona ${reason.persona} has it here`;
    case 'device-told-it':
      return reason.by === 'operator' ? `the operator tells of room here (${reason.source})`
        : `${reason.source} tells of room here`;
    case 'table-has-it-here': return `row ${reason.row} of the quirk table has it here`;
    case 'its-place-is-fixed':
      return `the first free one of the places it may have: ${reason.offsets.map(hex).join(', ')}`;
    case 'lowest-proven-gap':
      return `lowest place proven free, in the gap ${ByteRange.show({
        offset: reason.gapOffset, length: reason.gapLength })}`;
    case 'guest-has-it-here':
      return `its VMM put it here, and not at ${hex(reason.decided)} as was decided: the guest has found it`;
  }
}

export function explainCaution(caution: Caution): string {
  switch (caution.kind) {
    case 'no-extended-list': return 'the function has no extended capability list: one is begun at 0x100';
    case 'no-express-capability':
      return 'the function has no PCI Express capability: guests may not look above 0xff';
    case 'right-behind-capability':
      return `${caution.name} ends right before it: its last byte is ${hex(caution.end - 1)}`;
    case 'physical-function-not-seen':
      return `the place of the physical function ${caution.pf ?? '(not named)'} is not known: register it to follow it`;
    case 'inside-doubtful-range':
      return `${ByteRange.show(caution)} are doubtful: ${caution.row}: ${caution.source}`;
    case 'ignored-by-guests': return `guests may ignore it in this function: ${caution.row}: ${caution.source}`;
    case 'nothing-behind-it': return `no hardware here is known to answer for capability ${id(caution.id)}`;
    case 'was-elsewhere':
      return `an earlier layout of this device had it at ${hex(caution.offset)}: its guest must look again`;
    case 'ids-not-known':
      return 'the IDs of the VF read all-ones and its physical function does not tell them: rows of the quirk table '
        + `are those of vendor ${id(caution.vendorId ?? 0xffff)}, its subsystem's, for any device`;
    case 'inside-weak-header':
      return `${ByteRange.show(caution)} look like an unlinked capability ${id(caution.id)}`;
  }
}

export function explainAlternative({ strategy, because }: RefusedAlternative): string {
  return `${strategy}: ${explainBecause(because)}`;
}

function explainBecause(because: Because): string {
  switch (because.kind) {
    case 'no-offset-pinned': return 'no offset was given';
    case 'offset-unaligned': return `offset ${hex(because.offset)} is not a multiple of ${because.alignment}`;
    case 'outside-extended-space':
      return `offset ${hex(because.offset)} is not in ${hex(because.least)}..${hex(because.most)}, `
        + `where ${because.length} bytes fit into extended config space`;
    case 'outside-standard-space':
      return `offset ${hex(because.offset)} is not in ${hex(because.least)}..${hex(because.most)}, `
        + `where ${because.length} bytes fit into standard config space`;
    case 'seen-in-use':
      return `${ByteRange.show(because)} is free here, but ${because.source} shows ${because.owner} `
        + `at ${hex(because.at)}`;
    case 'no-persona': return 'no persona was given';
    case 'not-in-persona': return `persona ${because.persona} does not have it`;
    case 'nothing-told': return 'the device tells of no room for it';
    case 'no-row': return 'no row of the quirk table has a place for it here';
    case 'place-is-fixed': return `it may only be at ${because.offsets.map(hex).join(' or ')}`;
    case 'outside-allowed-ranges':
      return `${ByteRange.show(because)} is not inside ${because.allowed.map((one) => ByteRange.show(one)).join(', ')}`;
    case 'forbidden':
      return `${ByteRange.show(because)} meets the forbidden ${ByteRange.show(because.range)}: ${because.reason}`;
    case 'offset-occupied':
      return `${ByteRange.show(because)} meets ${because.by} at ${hex(because.from)}..${hex(because.to)}`;
    case 'not-in-hardware': return `no hardware here lists capability ${id(because.id)}`;
    case 'physical-function-unknown':
      return because.pf === null ? 'the VF was registered without its physical function'
        : `the physical function ${because.pf} is not registered`;
    case 'listed-already': return `the hardware lists it at ${hex(because.offset)}; a second one would shadow it`;
    case 'listed-twice':
      return `the hardware lists ${id(because.id)} at ${hex(because.offset)} and at ${hex(because.again)}: `
        + 'nothing tells which one it means';
    case 'list-cannot-begin':
      return `for ${hex(because.offset)} the empty list needs a header at 0x100: ${explainBecause(because.because)}`;
    case 'gap-too-short':
      return `the gap ${ByteRange.show(because)} has ${because.length} bytes, ${because.needed} are needed`;
    case 'further-gaps': return `${because.count} further gaps hold no place either`;
    case 'no-gap': return `no gap holds ${because.needed} proven-free bytes`;
  }
}

/** Why there is no layout, in one line for people; the refusal itself holds the numbers. */
export function explainRefusal(refusal: LayoutRefusal): string {
  switch (refusal.kind) {
    case 'space-not-whole':
      return `only ${refusal.capturedBytes} of ${refusal.sizeBytes} bytes were captured: read the space as root`;
    case 'function-gone': return 'the header reads 0xff throughout: the function is gone, or asleep';
    case 'no-extended-space':
      return `the function has ${refusal.sizeBytes} bytes of config space: no extended capability can exist`;
    case 'extended-space-unreadable': return 'the extended config space reads 0xffffffff at 0x100: it is not readable';
    case 'extended-list-broken':
      return `the hardware's extended list is broken: ${explainBrokenList(refusal.finding)}`;
    case 'standard-list-broken':
      return `the hardware's standard list is broken: ${explainBrokenList(refusal.finding)}`;
    case 'capability-not-for-function':
      return `${refusal.name} is for other functions than ${id(refusal.vendorId)}:${id(refusal.deviceId)} `
        + `of class 0x${refusal.classCode.toString(16).padStart(6, '0')}`;
    case 'operation-impossible':
      return `operation ${refusal.index} (${refusal.operation.kind}) is impossible: `
        + explainOperationObstacle(refusal.because);
    case 'capability-wanted-twice': return `${refusal.name} is wanted twice`;
    case 'no-place':
      return `no place for ${refusal.name} (${refusal.length} bytes): `
        + (refusal.refused.map(explainAlternative).join('; ') || 'no strategy was allowed');
  }
}

function explainOperationObstacle(because: OperationObstacle): string {
  switch (because.kind) {
    case 'not-listed': return `the hardware lists no ${because.space} capability ${id(because.id)} there`;
    case 'listed-more-than-once': return `the hardware lists several ${id(because.id)}: name an offset`;
    case 'meets-a-link': return `${hex(because.offset)} links a list: hide the capability instead`;
    case 'outside-space': return `${ByteRange.show(because)} is not in the ${because.sizeBytes} bytes of the space`;
    case 'value-too-wide': return `${hex(because.value)} does not fit ${because.bits} bits`;
    case 'no-such-field': return 'a bridge has no subsystem ID in its header';
  }
}

function explainBrokenList(finding: BrokenList): string {
  switch (finding.kind) {
    case 'capability-list-loops': return `${hex(finding.at)} leads back to ${hex(finding.pointer)}`;
    case 'pointer-below-space':
      return `${hex(finding.at)} leads to ${hex(finding.pointer)}, below ${hex(finding.least)}`;
    case 'header-all-ones': return `the header at ${hex(finding.offset)} reads 0xffffffff`;
    case 'header-zero': return `it leads to ${hex(finding.offset)}, where there is no header`;
    case 'header-not-captured': return `it leads to ${hex(finding.offset)}, which was not captured`;
  }
}

/** A placement in one line. */
export function explainPlacement(placement: Placement): string {
  const { name, offset, length, strategy, reason } = placement;
  return `${name} at ${ByteRange.show({ offset, length })} by ${strategy}: ${explainReason(reason)}`;
}
