import { ConfigSpace, survey } from '@cadastre/config-space';
import { integrateExpress, type RuledRange, type VmmAbilities } from '@cadastre/vmm-profiles';
import { ruledBetween } from './caused-by.js';
import { type LayoutDocument } from './layout-document.js';
import { type Destination } from './verdict.js';
import { type VerdictDraft } from './verdict-draft.js';
import { hidesIds, surveyWithIds, vfIdsOf } from './vfio-function.js';

/** What the VMM there does to a device that arrives, whatever the device is, and what nobody told of that. */
export function judgeVmm({ layout, to: { vmm, iommu }, reasons, unchecked }: VerdictDraft): void {
  if (vmm.migration === 'refuses-to-save') reasons.push({ kind: 'vmm-cannot-migrate', vmm: vmm.profile });
  if (vmm.migration === 'unknown') unchecked.push(`how ${vmm.profile} loads a device`);
  // Where the vIOMMU offers PASID, these make one that the layout does not have.
  if (vmm.implicitOffset !== null && !hasPasid(layout) && iommu?.maxPasidLog2 !== 0) {
    unchecked.push(`PASID at 0x${vmm.implicitOffset.toString(16)}, if the vIOMMU offers it`);
  }
}

/**
 * The destination with the IDs a guest finds it by. Where those of either side are a VF's whose PF is not known, they
 * cannot be judged: they are taken for the layout's, and that is said.
 */
export function asBound({ identity }: LayoutDocument, to: Destination): Destination & { readonly isKnown: boolean } {
  const ids = vfIdsOf(to.physicalFunction);
  const isKnown = !hidesIds(identity) && (ids !== undefined || !hidesIds(to.survey.header));
  const { vendorId, deviceId } = identity;
  if (!isKnown) return { ...to, survey: surveyWithIds(to.survey, { vendorId, deviceId }), isKnown };
  return { ...to, survey: ids ? surveyWithIds(to.survey, ids) : to.survey, isKnown };
}

/** The destination as it is for this layout: what its VMM hides and makes there, and what that does to the function. */
export function asPresented(
  layout: LayoutDocument, to: Destination,
): Destination & { readonly ruled: readonly RuledRange[] } {
  const { shown, survey: { capabilities, space: hardware }, vmm } = to;
  // What a guest reads is what the VMM made already.
  if (shown) return { ...to, vmm: { ...vmm, ...idle, onlyWithPm: false }, ruled: shown.ruled };
  const express = capabilities.find(({ space, id }) => space === 'standard' && id === 0x10);
  const isManaged = capabilities.some(({ space, id }) => space === 'standard' && id === 0x01);
  // Fact C4.
  if (vmm.onlyWithPm && !(express && isManaged)) return { ...to, vmm: { ...vmm, ...idle }, ruled: [] };
  if (vmm.migration === 'loses-patches') {
    // Fact C18: the old Cloud Hypervisor has forgotten what it hid.
    const ruled = capabilities.filter(({ space, id }) => space === 'extended' && vmm.hides.includes(id))
      .map(({ offset }): RuledRange => ({ offset, length: 4, rule: 'C18' }));
    return { ...to, vmm: { ...vmm, hides: [] }, ruled };
  }
  if (!vmm.integratesWithPasid || !hasPasid(layout) || !express) return { ...to, ruled: [] };
  // Fact C9.
  const bytes = Uint8Array.from(hardware.toBytes());
  integrateExpress(new DataView(bytes.buffer), express.offset);
  const space = ConfigSpace.from(bytes);
  if (!space.ok) throw new RangeError(`a destination of ${bytes.length} bytes`);
  return { ...to, survey: survey(space.value), ruled: ruledBetween(hardware, space.value, 'C9') };
}

/** A VMM that changes nothing of what it finds. */
const idle = {
  placing: 'none', makes: [], makesStandard: [], setting: null, hides: [], implicitOffset: null,
  integratesWithPasid: false,
} as const satisfies Partial<VmmAbilities>;

function hasPasid({ capabilities }: LayoutDocument): boolean {
  return capabilities.some(({ space, id }) => space === 'extended' && id === 0x1b);
}
