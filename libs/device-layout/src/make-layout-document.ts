import {
  capabilitiesPointerAt, type Capability, capabilityRow, type ConfigSpace, occupiedEnd, survey as surveySpace,
  type Survey,
} from '@cadastre/config-space';
import { type ByteBehaviour, hardwareBehaviour } from './byte-behaviour.js';
import { explainAlternative, explainCaution, explainReason } from './explain.js';
import { type Layout, type ListEntry, type Placement } from './layout.js';
import {
  identityOf, type LayoutCapability, type LayoutDocument, type LayoutRange, type Provenance,
} from './layout-document.js';
import { identityBytes, type LayoutOperation } from './layout-operation.js';
import { syntheticCapability, writableBits } from './synthetic-capability.js';

/** The neutral document of a planned layout: everything a VMM needs to show it, and a reader to understand it. */
export function layoutDocument(survey: Survey, layout: Layout, guest: ConfigSpace): LayoutDocument {
  const bytes = hardwareBehaviour(survey);
  paintIds(survey.space, guest, bytes);
  paintLinks(survey, guest, layout, bytes);
  const behind = surveySpace(guest);
  for (const one of hiddenIn(survey, layout)) paintHidden(one, survey, layout, bytes);
  paintElsewhere(behind, layout, bytes);
  for (const operation of layout.operations) paintOperation(operation, bytes);
  for (const entry of [...layout.standardList, ...layout.extendedList]) paintAnchor(entry, bytes);
  for (const placement of layout.placements) paintPlacement(placement, bytes);
  return {
    planner: layout.planner, identity: identityOf(guest), configSize: guest.size, space: guest,
    standardList: layout.standardList.map(({ offset }) => offset),
    extendedList: layout.extendedList.map(({ offset }) => offset),
    capabilities: [
      ...layout.standardList.map((entry) => capabilityOf('standard', entry, layout, survey, behind)),
      ...layout.extendedList.map((entry) => capabilityOf('extended', entry, layout, survey, behind)),
    ],
    ranges: rangesOf(bytes), evidence: layout.evidence,
  };
}

function capabilityOf(
  space: Capability['space'], { offset, id, version, origin }: ListEntry, layout: Layout, survey: Survey, guest: Survey,
): LayoutCapability {
  const placement = layout.placements.find((one) => one.offset === offset && one.space === space);
  const from = physicalOffset(space, offset, layout);
  const physical = survey.capabilities.find((one) => one.space === space && one.offset === from && one.id === id);
  const shown = guest.capabilities.find((one) => one.space === space && one.offset === offset);
  // A relocated one has the length the guest was promised: what is behind it may be longer.
  const known = from === offset ? physical?.length ?? shown?.length : shown?.length;
  const length = placement?.length ?? (origin === 'anchor' ? 4 : known ?? 4);
  return {
    space, id, version, offset, length,
    name: placement ? capabilityNamed(placement) : capabilityRow(space, id).name,
    origin: isOfPersona(origin, placement) ? 'persona' : origin,
    backing: placement ? { kind: 'emulated', writable: writableOf(placement) }
      : origin !== 'physical' ? { kind: 'emulated', writable: [] } : { kind: 'physical', offset: from },
    decision: placement ? {
      rule: placement.strategy, reason: explainReason(placement.reason),
      cautions: placement.cautions.map(explainCaution),
      considered: [...consideredFor(placement.reason), ...placement.refused.map(explainAlternative)],
    } : null,
  };
}

/** What a document calls a placement: the vendor-specific ones by their own name, which their ID does not tell. */
export function capabilityNamed({ name, space, id }: Pick<Placement, 'name' | 'space' | 'id'>): string {
  return syntheticCapability(name).sharesId === true ? name : capabilityRow(space, id).name;
}

/** What is made and has no placement is of a persona that has more than a planner can place. */
function isOfPersona(origin: ListEntry['origin'], placement: Placement | undefined): boolean {
  return origin === 'synthetic' && (placement === undefined || placement.strategy === 'persona');
}

function consideredFor(reason: Placement['reason']): readonly string[] {
  return reason.kind === 'persona-has-it-here' ? reason.considered ?? [] : [];
}

/** Where the hardware has what the guest finds at an offset. */
function physicalOffset(space: Capability['space'], offset: number, { relocations }: Layout): number {
  return relocations.find((one) => one.space === space && one.guest === offset)?.physical ?? offset;
}

function writableOf({ name, offset, registers }: Placement): readonly { offset: number; mask: number }[] {
  return writableBits(syntheticCapability(name), registers)
    .map((one) => ({ offset: offset + one.offset, mask: one.mask }));
}

/** Where a list of the hardware goes on to something else. The bytes behave as before; the planner put them there. */
function paintLinks({ header, space }: Survey, guest: ConfigSpace, layout: Layout, bytes: ByteBehaviour[]): void {
  const note = 'the list goes on to what the layout shows next';
  const provenance: Provenance = { by: 'planner', rule: 'link', note };
  const pointers = [capabilitiesPointerAt(header), ...layout.standardList.map(({ offset }) => offset + 1),
    ...layout.extendedList.flatMap(({ offset }) => [offset + 2, offset + 3])];
  for (const at of pointers) {
    const before = bytes[at];
    if (before && space.u8(at) !== guest.u8(at)) bytes[at] = { ...before, provenance };
  }
}

/** A VF's IDs, which its bytes do not tell. Where an operation says otherwise, it is painted over this. */
function paintIds(physical: ConfigSpace, guest: ConfigSpace, bytes: ByteBehaviour[]): void {
  const provenance: Provenance = { by: 'planner', rule: 'vf-ids', note: 'the IDs the physical function gives its VFs' };
  for (let at = 0; at < 4; at += 1) {
    if (physical.u8(at) !== guest.u8(at)) bytes[at] = { compare: 'identical', write: 'dropped', provenance };
  }
}

/** Capabilities of the hardware that no list of the layout has any more. */
function hiddenIn(survey: Survey, layout: Layout): readonly Capability[] {
  const lists = { standard: layout.standardList, extended: layout.extendedList };
  return survey.capabilities.filter((one) => !lists[one.space].some(({ offset, id, origin }) =>
    origin === 'physical' && id === one.id && physicalOffset(one.space, offset, layout) === one.offset));
}

function paintHidden(capability: Capability, survey: Survey, layout: Layout, bytes: ByteBehaviour[]): void {
  const { space, id, offset } = capability;
  const asked = layout.operations.find((one) => one.kind === 'hide-capability' && one.space === space
    && one.id === id && (one.offset === null || one.offset === offset));
  const by = asked ? 'operator' : 'persona';
  const provenance: Provenance = { by, rule: 'hide-capability', note: asked?.reason ?? null };
  for (let at = offset; at < Math.min(occupiedEnd(capability), bytes.length); at += 1) {
    if (survey.owners.ownerAt(at).capability !== capability) continue;
    // No walk leads here: what a VMM leaves readable of it is of no use to a guest.
    bytes[at] = { compare: 'consistent', write: 'dropped', provenance };
  }
}

/** What a persona has where the hardware has it not: relocated, or made by no planner. */
function paintElsewhere(guest: Survey, layout: Layout, bytes: ByteBehaviour[]): void {
  const shown = hardwareBehaviour(guest);
  for (const { space, offset, length, row } of guest.capabilities) {
    const entry = (space === 'standard' ? layout.standardList : layout.extendedList)
      .find((one) => one.offset === offset);
    const isRelocated = entry?.origin === 'physical' && physicalOffset(space, offset, layout) !== offset;
    const isMade = entry?.origin === 'synthetic' && !layout.placements.some((one) => one.offset === offset);
    const provenance: Provenance = { by: 'persona', rule: row.name, note: null };
    for (let at = offset; at < offset + length && (isRelocated || isMade); at += 1) {
      const one = shown[at];
      if (one) bytes[at] = isMade ? { compare: 'identical', write: 'dropped', provenance } : one;
    }
  }
}

function paintOperation(operation: LayoutOperation, bytes: ByteBehaviour[]): void {
  const provenance: Provenance = { by: 'operator', rule: operation.kind, note: operation.reason };
  for (const at of bytesOf(operation)) bytes[at] = { compare: 'identical', write: 'dropped', provenance };
}

function bytesOf(operation: LayoutOperation): readonly number[] {
  switch (operation.kind) {
    case 'hide-capability': return [];
    case 'replace-identity': return identityBytes(operation.field);
    case 'replace-register':
      return [0, 1, 2, 3].filter((byte) => ((operation.mask >>> (8 * byte)) & 0xff) !== 0)
        .map((byte) => operation.offset + byte);
    case 'scrub': return Array.from({ length: operation.length }, (_, index) => operation.offset + index);
  }
}

function paintAnchor({ offset, origin }: ListEntry, bytes: ByteBehaviour[]): void {
  if (origin !== 'anchor') return;
  const provenance: Provenance = { by: 'planner', rule: 'anchor', note: 'every extended walk begins here' };
  for (let at = offset; at < offset + 4; at += 1) bytes[at] = { compare: 'identical', write: 'dropped', provenance };
}

function paintPlacement(placement: Placement, bytes: ByteBehaviour[]): void {
  const { name, offset, length, strategy, reason } = placement;
  const by = reason.kind === 'device-told-it' ? reason.by : strategy === 'pinned' ? 'operator'
    : strategy === 'persona' ? 'persona' : strategy === 'table' ? 'quirk' : 'planner';
  const provenance: Provenance = { by, rule: strategy, note: `${name}: ${explainReason(reason)}` };
  for (let at: number = offset; at < offset + length; at += 1) {
    bytes[at] = { compare: 'identical', write: 'dropped', provenance };
  }
  for (const { offset: dword, mask } of writableOf(placement)) {
    for (let byte = 0; byte < 4; byte += 1) {
      if (((mask >>> (8 * byte)) & 0xff) === 0) continue;
      const isWhole = ((mask >>> (8 * byte)) & 0xff) === 0xff;
      bytes[dword + byte] = { compare: isWhole ? 'ignore' : 'consistent', write: 'emulated', provenance };
    }
  }
  for (const bound of syntheticCapability(name).hostBound ?? []) {
    for (let at = offset + bound.offset; at < offset + bound.offset + bound.length; at += 1) {
      bytes[at] = { compare: 'ignore', write: 'dropped', provenance };
    }
  }
}

/** Runs of bytes that behave alike. */
export function rangesOf(bytes: readonly ByteBehaviour[]): readonly LayoutRange[] {
  const ranges: LayoutRange[] = [];
  let from = 0;
  for (let at = 1; at <= bytes.length; at += 1) {
    const first = bytes[from];
    const one = bytes[at];
    if (!first || (one && one.compare === first.compare && one.write === first.write
      && one.provenance === first.provenance)) continue;
    ranges.push({ offset: from, length: at - from, ...first });
    from = at;
  }
  return ranges;
}
