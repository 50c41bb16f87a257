/** A register field of a synthetic capability: offset in the capability, lowest bit, width, of one DWORD. */
type SyntheticField = readonly [at: number, lsb: number, width: number];

/** A capability Cadastre can build: one row each, so that the next one is data. */
export interface SyntheticCapability {
  readonly id: number;
  readonly version: number;
  readonly lengthBytes: number;
  /** The fields a request sets. Everything else behind the header is 0, the reset value of its controls. */
  readonly fields: Readonly<Record<string, SyntheticField>>;
}

/** PCIe Base Specification, "PASID Extended Capability": capability at 04h, control at 06h (reset value 0). */
const pasid = {
  id: 0x001b,
  version: 1,
  lengthBytes: 8,
  fields: {
    executeSupported: [0x04, 1, 1],
    privilegedSupported: [0x04, 2, 1],
    maxPasidWidth: [0x04, 8, 5],
  },
} as const satisfies SyntheticCapability;

/** Every capability a VM may ask for by name. */
export const syntheticCapabilities = { pasid } as const satisfies Record<string, SyntheticCapability>;

export type SyntheticName = keyof typeof syntheticCapabilities;

/** Values of the fields of one synthetic capability, by field name. */
export type SyntheticRegisters = Readonly<Record<string, number>>;

/** The DWORDs behind the header. A value that does not fit its field, or has none, is a bug and throws. */
export function bodyDwords(capability: SyntheticCapability, registers: SyntheticRegisters): readonly number[] {
  const dwords = new Array<number>(capability.lengthBytes / 4 - 1).fill(0);
  for (const [name, value] of Object.entries(registers)) {
    const field = capability.fields[name];
    if (field === undefined) throw new RangeError(`capability ${capability.id} has no field ${name}`);
    const [at, lsb, width] = field;
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** width) {
      throw new RangeError(`${name} = ${value} does not fit ${width} bits`);
    }
    const index = at / 4 - 1;
    dwords[index] = ((dwords[index] ?? 0) | (value << lsb)) >>> 0;
  }
  return dwords;
}
