import { type Capability } from '@cadastre/config-space';
import { type LayoutCapability } from './layout-document.js';
import { isWeaker, promisedFields, readPromise } from './promised-field.js';
import { type VerdictDraft } from './verdict-draft.js';

/** What its registers promise a guest, against those of the capability that will be behind it. */
export function judgePromises(one: LayoutCapability, there: Capability, { layout, to, reasons }: VerdictDraft): void {
  const { space, id, name, offset } = one;
  for (const field of promisedFields(space, id, Math.min(one.length, there.length))) {
    const promise = readPromise(layout.space, offset, field);
    const given = readPromise(to.survey.space, there.offset, field);
    if (!isWeaker(field, promise, given)) continue;
    reasons.push({ kind: 'register-weaker', space, id, name, offset, field: field.name, layout: promise,
      destination: given });
  }
}

/** What a guest was promised of the IOMMU by a capability that is made up. */
export function judgeIommu(
  { space, id, name, offset, length }: LayoutCapability, { layout, to, reasons }: VerdictDraft,
): void {
  if (space !== 'extended' || !to.iommu) return;
  const weaker = (field: string, promise: number, given: number): void => {
    if (given < promise) {
      reasons.push({ kind: 'register-weaker', space, id, name, offset, field, layout: promise, destination: given });
    }
  };
  if (id === 0x1b) {
    const { exec, priv, maxPasidLog2 } = to.iommu;
    const given: Readonly<Record<string, number>> = {
      executeSupported: exec ? 1 : 0, privilegedSupported: priv ? 1 : 0, maxPasidWidth: maxPasidLog2 };
    for (const field of promisedFields(space, id, length)) {
      weaker(`${field.name} of the IOMMU`, readPromise(layout.space, offset, field), given[field.name] ?? 0);
    }
  }
  if (id === 0x0f || id === 0x13) weaker('atsSupported of the IOMMU', 1, to.iommu.atsSupported ? 1 : 0);
}
