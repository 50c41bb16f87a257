import { starts } from '../prediction.js';
import { type VmmProfile } from '../vmm-profile.js';

/** A VMM that lays a whole layout document over the physical space: what a control plane of its own can build. */
export const generic: VmmProfile = {
  name: 'generic',
  revision: 1,
  evidence: 'ours',
  source: 'the layout document of this project',
  reads: 'physical',
  hides: { ids: [], leaves: 'what the document says' },
  onlyWithPm: false,
  pasid: { kind: 'document' },
  makesStandard: [],
  settings: {},
  migration: { kind: 'obeys-document', rule: null, confidence: 'V', says: 'the destination obeys the same document' },
  exemptsVendorBytes: false,
  failureMode: 'none',
  forwardsSyntheticWrites: false,
  // Nothing is ever missing: it shows what a document says.
  because: { hides: 'chain', makesNoStandard: 'chain', makesNoExtended: 'chain' },
  ports: ['root-port'],
  configure: null,
  show: () => starts,
};
