import { type KernelViewTaken, type VfioFinding } from '@cadastre/config-space';
import { type GuestImage } from './guest-image.js';
import { type Confidence, confidenceOf, type RuleName } from './rules.js';

const vfioRules: { readonly [K in Exclude<VfioFinding['kind'], 'capability-hidden'>]: RuleName } = {
  'kernel-not-observed': 'K14',
  'function-not-bindable': 'reading C8',
  'extended-space-not-shown': 'K16',
  'extended-space-without-list': 'reading P10',
  'head-placeholder': 'K12',
  'capability-conflict': 'K13',
  'header-from-hardware': 'observed 1',
  'header-of-null': 'reading P9',
  'capability-list-loops': 'K13',
  'pme-hidden': 'observed 7',
  'pin-hidden': 'K15',
  'ids-of-the-physical-function': 'K15',
};

function ruleOf(finding: VfioFinding): RuleName {
  if (finding.kind !== 'capability-hidden') return vfioRules[finding.kind];
  return finding.space === 'standard' ? 'K5' : 'K9';
}

/** A finding of the first stage as one of the prediction. */
export function reportVfio(image: GuestImage, finding: VfioFinding, kernel: KernelViewTaken | null): void {
  const offset = 'offset' in finding ? finding.offset : 'at' in finding ? finding.at : null;
  image.report(`vfio-${finding.kind}`, ruleOf(finding), saysOf(finding, kernel), offset, confidenceIn(finding));
}

function confidenceIn(finding: VfioFinding): Confidence {
  if (finding.kind !== 'kernel-not-observed') return confidenceOf(ruleOf(finding));
  if (finding.evidence === 'read') return 'V';
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
    case 'extended-space-without-list': return 'vfio-pci shows the extended space as it is, all of it writable';
    case 'pin-hidden': return 'vfio-pci shows no interrupt pin';
    case 'ids-of-the-physical-function': return 'a VF has the IDs that its physical function tells';
    case 'capability-list-loops': return `the ${finding.space} list loops; vfio-pci walks it to its bound`;
    case 'capability-hidden': return at(`vfio-pci has no length for this ${finding.space} ID, and hides it`, finding);
    case 'head-placeholder': return at('vfio-pci keeps the header, without ID and version', finding);
    case 'capability-conflict': return at('it lies over one that is linked before it, and has the bytes', finding);
    case 'header-from-hardware': return at('behind a neighbour of the same ID the header is the hardware\'s', finding);
    case 'header-of-null': return at('the header is the hardware\'s, so nothing behind it is hidden', finding);
    case 'pme-hidden': return at('vfio-pci shows no PME to anybody', finding);
  }
}

function at(says: string, { id, offset }: { readonly id: number; readonly offset: number }): string {
  return `${says}: 0x${id.toString(16)} at 0x${offset.toString(16)}`;
}
