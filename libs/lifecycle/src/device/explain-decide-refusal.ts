import { explainRefusal, explainVerdictReason } from '@cadastre/device-layout';
import { type DecideRefusal } from './decide-layout.js';

/** Why there is no layout, in one line for people; the refusal itself holds the numbers. */
export function explainDecideRefusal(refusal: DecideRefusal): string {
  switch (refusal.kind) {
    case 'function-not-observed':
      return `no config space of ${refusal.host}/${refusal.address} is recorded; POST /v1/functions records one`;
    case 'function-not-assignable':
      return `${refusal.host}/${refusal.address} has header type ${refusal.headerType} (a bridge); `
        + 'vfio-pci binds type 0 only';
    case 'persona-does-not-fit':
      return `${refusal.persona}: ${refusal.reasons.map(explainVerdictReason).join('; ')}`;
    case 'persona-worn-whole':
      return `${refusal.persona} is worn whole: leave out ${refusal.members.join(', ')}`;
    case 'persona-moves-places':
      return `${refusal.persona}: ${refusal.reasons.map(explainVerdictReason).join('; ')}; a guest that starts afresh `
        + 'takes "keepPlaces": false';
    case 'vmm-unknown':
      return `nothing is known of ${refusal.name} ${refusal.version ?? '(no version)'}; known are `
        + `${refusal.known.join(', ')}; leave vmm out to record the layout alone`;
    case 'ats-not-supported':
      return `${refusal.name} was asked for, and the host IOMMU reports iommu.atsSupported = false`;
    case 'pasid-width-out-of-range':
      return `width ${refusal.widthBits} is not in ${refusal.least}..${refusal.most} bits`;
    case 'pasid-not-supported':
      return `the host IOMMU reports maxPasidLog2 = ${refusal.maxPasidLog2} for it: no PASID can be translated`;
    case 'pasid-execute-not-supported':
      return 'exec was asked for, and the host IOMMU reports iommu.exec = false; leave exec out or send false';
    case 'pasid-privileged-not-supported':
      return 'priv was asked for, and the host IOMMU reports iommu.priv = false; leave priv out or send false';
    case 'registers-missing':
      return `nothing but the request tells what ${refusal.name} holds; give registers: ${refusal.fields.join(', ')}`;
    case 'register-unknown':
      return `${refusal.name} has no field ${refusal.field}; it has ${refusal.fields.join(', ')}`;
    case 'register-out-of-range':
      return `${refusal.field} of ${refusal.name} is ${refusal.value}; it takes whole numbers in 0..${refusal.most}`;
    case 'space-not-whole': case 'function-gone': case 'no-extended-space': case 'extended-space-unreadable':
    case 'extended-list-broken': case 'standard-list-broken': case 'capability-wanted-twice':
    case 'capability-not-for-function': case 'operation-impossible': case 'no-place':
      return explainRefusal(refusal);
  }
}
