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
  for (const one of hiddenIn(survey, layout)) paintHidden(one, survey, layout, bytes);
  for (const operation of layout.operations) paintOperation(operation, bytes);
  for (const entry of [...layout.standardList, ...layout.extendedList]) paintAnchor(entry, bytes);
  for (const placement of layout.placements) paintPlacement(placement, bytes);
  const behind = surveySpace(guest);
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
  const physical = survey.capabilities.find((one) => one.space === space && one.offset === offset);
  const shown = guest.capabilities.find((one) => one.space === space && one.offset === offset);
  const length = placement?.length ?? (origin === 'anchor' ? 4 : physical?.length ?? shown?.length ?? 4);
  return {
    space, id, version, offset, length,
    name: placement && syntheticCapability(placement.name).sharesId === true ? placement.name
      : capabilityRow(space, id).name,
    origin: origin === 'synthetic' && placement?.strategy === 'persona' ? 'persona' : origin,
    backing: placement ? { kind: 'emulated', writable: writableOf(placement) }
      : origin === 'anchor' ? { kind: 'emulated', writable: [] } : { kind: 'physical', offset },
    decision: placement ? {
      rule: placement.strategy, reason: explainReason(placement.reason),
      cautions: placement.cautions.map(explainCaution), considered: placement.refused.map(explainAlternative),
    } : null,
  };
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
  return survey.capabilities.filter((one) =>
    !lists[one.space].some(({ offset, origin }) => offset === one.offset && origin === 'physical'));
}

function paintHidden(capability: Capability, survey: Survey, layout: Layout, bytes: ByteBehaviour[]): void {
  const { space, id, offset } = capability;
  const asked = layout.operations.find((one) => one.kind === 'hide-capability' && one.space === space
    && one.id === id && (one.offset === null || one.offset === offset));
  const provenance: Provenance = { by: 'operator', rule: 'hide-capability', note: asked?.reason ?? null };
  for (let at = offset; at < Math.min(occupiedEnd(capability), bytes.length); at += 1) {
    if (survey.owners.ownerAt(at).capability !== capability) continue;
    // No walk leads here: what a VMM leaves readable of it is of no use to a guest.
    bytes[at] = { compare: 'consistent', write: 'dropped', provenance };
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
