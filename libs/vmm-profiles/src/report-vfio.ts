import { type KernelViewTaken, type VfioFinding } from '@cadastre/config-space';
import { type GuestImage } from './guest-image.js';
import { type Confidence, type RuleName } from './rules.js';

const vfioRules: { readonly [K in VfioFinding['kind']]: RuleName } = {
  'kernel-not-observed': 'K14',
  'function-not-bindable': 'K16',
  'extended-space-not-shown': 'K16',
  'capability-hidden': 'K11',
  'capability-conflict': 'K13',
  'header-from-hardware': 'observed 1',
  'capability-list-loops': 'K13',
};

/** A finding of the first stage as one of the prediction. */
export function reportVfio(image: GuestImage, finding: VfioFinding, kernel: KernelViewTaken | null): void {
  const offset = 'offset' in finding ? finding.offset : null;
  image.report(`vfio-${finding.kind}`, vfioRules[finding.kind], saysOf(finding, kernel), offset, confidenceIn(finding));
}

function confidenceIn(finding: VfioFinding): Confidence {
  if (finding.kind !== 'kernel-not-observed' || finding.evidence === 'read') return 'V';
  return finding.evidence === 'derived' ? 'D' : 'U';
}

/** Where the facts about a kernel come from that nobody looked at. */
const evidenceSays: Readonly<Record<string, string>> = {
  read: 'as its source says', derived: 'derived from releases around it', unknown: 'the nearest that is known',
};

function saysOf(finding: VfioFinding, kernel: KernelViewTaken | null): string {
  switch (finding.kind) {
    case 'kernel-not-observed': {
      const taken = kernel === null ? 'another' : `${kernel.name}/${kernel.revision}`;
      return `nobody looked at Linux ${finding.release}: ${taken} is taken, ${evidenceSays[finding.evidence] ?? ''}`;
    }
    case 'function-not-bindable': return finding.headerType === 0x7f ? 'the header reads all-ones: no function answers'
      : `vfio-pci binds type-0 functions, and this is of type ${finding.headerType}`;
    case 'extended-space-not-shown': return `vfio-pci shows no extended space: ${finding.because}`;
    case 'capability-hidden': return `vfio-pci hides ID 0x${finding.id.toString(16)}`;
    case 'capability-conflict': return `ID 0x${finding.id.toString(16)} overlaps one that is linked before it`;
    case 'header-from-hardware': return `the header of ID 0x${finding.id.toString(16)} is that of the hardware`;
    case 'capability-list-loops': return `the ${finding.space} list loops`;
  }
}
