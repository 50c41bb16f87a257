import { type LengthTerm } from './length-term.js';

/** Which of the two capability lists a structure belongs to. */
export type CapabilitySpace = 'standard' | 'extended';

/** May a function of this kind have it: yes, no, shared with the PF, not meaningful, or nobody confirmed. */
export type Legality = 'yes' | 'no' | 'shared' | 'not-meaningful' | 'unconfirmed';

/** Bytes. PCI Local Bus Specification, "Capabilities List": every structure is DWORD aligned, both lists alike. */
export const capabilityAlignment = 4;

/** One row of the capability catalogue: what the PCIe specification and the field know about one ID. */
export interface CapabilityRow {
  readonly id: number;
  /** Short name, as engineers say it. */
  readonly name: string;
  /** Name as the specification spells it. */
  readonly title: string;
  /**
   * Length in bytes from the first header byte; where it comes to `unconfirmed` or `null` the structure is opaque
   * up to the next start.
   */
  readonly length: LengthTerm;
  /** What its offset is a multiple of, in bytes. */
  readonly alignment: typeof capabilityAlignment;
  /** A computed length below this is a lie of the device, and the structure opaque (reading B3). */
  readonly lengthMin?: number;
  /** Physical function, virtual function, root port. */
  readonly allowedIn: {
    readonly pf: Legality; readonly vf: Legality; readonly rootPort: Legality;
    /** Sources are firm about VFs for a few rows only; the others tell what is generally said. */
    readonly vfConfirmed: boolean;
  };
  /** What Linux 6.12 vfio-pci does with it in its user-space view. */
  readonly vfio: 'show' | 'hide';
  /** May a VMM present one that the hardware does not: purely emulated, only with something real behind it, or not. */
  readonly synthesize: 'yes' | 'with-backing' | 'no';
}

/** Extended or standard ID nobody has a row for: opaque, hidden, untouched. */
export function unknownCapability(id: number, space: CapabilitySpace): CapabilityRow {
  const digits = space === 'standard' ? 2 : 4;
  return {
    id,
    name: `unknown-${id.toString(16).padStart(digits, '0')}`,
    title: 'unknown',
    length: null,
    alignment: capabilityAlignment,
    allowedIn: { pf: 'unconfirmed', vf: 'unconfirmed', rootPort: 'unconfirmed', vfConfirmed: false },
    vfio: 'hide',
    synthesize: 'no',
  };
}
