import { type Capability } from '@cadastre/config-space';
import { type IommuFacts } from './iommu-facts.js';
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
    const kind = field.counts === 'same' ? 'register-differs' : 'register-weaker';
    reasons.push({ kind, space, id, name, offset, field: field.name, layout: promise, destination: given });
  }
}

/** Capabilities that promise a guest what the IOMMU does, when they are made up: ATS, PRI, PASID. */
const ofTheIommu: readonly number[] = [0x0f, 0x13, 0x1b];

/** What a guest was promised of the IOMMU. The hardware's own capabilities promise what the device does. */
export function judgeIommu(draft: VerdictDraft): void {
  const promises = draft.layout.capabilities.filter(({ space, id, backing }) =>
    space === 'extended' && backing.kind === 'emulated' && ofTheIommu.includes(id));
  if (promises.length === 0) return;
  const { iommu } = draft.to;
  if (!iommu) draft.unchecked.push('iommu');
  else for (const one of promises) judgeByIommu(one, iommu, draft);
}

function judgeByIommu(
  { space, id, name, offset, length }: LayoutCapability, iommu: IommuFacts, { layout, reasons }: VerdictDraft,
): void {
  const weaker = (field: string, promise: number, given: number): void => {
    if (given < promise) {
      reasons.push({ kind: 'register-weaker', space, id, name, offset, field, layout: promise, destination: given });
    }
  };
  if (id === 0x1b) {
    const { exec, priv, maxPasidLog2 } = iommu;
    const given: Readonly<Record<string, number>> = {
      executeSupported: exec ? 1 : 0, privilegedSupported: priv ? 1 : 0, maxPasidWidth: maxPasidLog2 };
    for (const field of promisedFields(space, id, length)) {
      weaker(`${field.name} of the IOMMU`, readPromise(layout.space, offset, field), given[field.name] ?? 0);
    }
  }
  if (id !== 0x1b) weaker('atsSupported of the IOMMU', 1, iommu.atsSupported ? 1 : 0);
}
