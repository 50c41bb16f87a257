import { ConfigSpace, conventionalSizeBytes, extendedSizeBytes } from '@cadastre/config-space';
import { type Outcome, type PredictionFinding, type RuledRange } from './prediction.js';
import { type Confidence, confidenceOf, type RuleName, rules } from './rules.js';

/** What a VMM answers for, bit by bit; only who asks for writes has it drawn up. */
export class EmulatedBits {
  /** Bits a guest reads from the VMM. */
  readonly emulated = new Uint8Array(extendedSizeBytes);
  /** Bits of those that a guest can change. */
  readonly writable = new Uint8Array(extendedSizeBytes).fill(0xff);
}

/** A config space while a VMM makes a guest's out of it. Every write names its rule. */
export class GuestImage {
  readonly findings: PredictionFinding[] = [];
  readonly ruled: RuledRange[] = [];
  readonly unpredicted: RuledRange[] = [];
  /** Bytes the VMM answers for: a write there reaches the hardware only where the VMM forwards it. */
  readonly emulated: RuledRange[] = [];
  private readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly view: DataView;
  private shownBytes: number;

  constructor(readonly original: ConfigSpace, private readonly bits?: EmulatedBits) {
    this.bytes = original.toBytes(original.size);
    this.view = new DataView(this.bytes.buffer);
    this.shownBytes = original.size;
  }

  get size(): number {
    return this.shownBytes;
  }

  u8(offset: number): number {
    return this.bytes[offset] ?? 0;
  }

  u16(offset: number): number {
    return this.view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  /** Writes 1, 2 or 4 bytes: the bits in `mask` become those of `value`. What passes the end is dropped. */
  put(offset: number, length: 1 | 2 | 4, value: number, rule: RuleName, mask = 0xffffffff): void {
    if (offset + length > this.bytes.length) return;
    this.emulate(offset, length, mask);
    this.store(offset, length, value, rule, mask);
  }

  /** The same where the VMM keeps the bits without answering for them. */
  store(offset: number, length: 1 | 2 | 4, value: number, rule: RuleName, mask = 0xffffffff): void {
    this.ruled.push({ offset, length, rule });
    for (let index = 0; index < length; index += 1) {
      const bits = (mask >>> (8 * index)) & 0xff;
      const kept = (this.bytes[offset + index] ?? 0) & ~bits;
      this.bytes[offset + index] = kept | ((value >>> (8 * index)) & bits);
    }
  }

  /** Up to 4 bytes whose bits in `mask` a guest reads from the VMM, and can change where `writable` has them. */
  emulate(offset: number, length: number, mask = 0xffffffff, writable?: number): void {
    if (this.bits === undefined) return;
    for (let index = 0; index < length; index += 1) {
      const at = offset + index;
      this.bits.emulated[at] = (this.bits.emulated[at] ?? 0) | ((mask >>> (8 * (index % 4))) & 0xff);
      if (writable !== undefined) this.bits.writable[at] = (writable >>> (8 * (index % 4))) & 0xff;
    }
  }

  /** A capability the VMM has added: a guest changes nothing of what the VMM answers for in it. */
  protect(offset: number, length: number): void {
    this.bits?.writable.fill(0, offset, offset + length);
  }

  putBytes(offset: number, given: readonly number[], rule: RuleName): void {
    given.forEach((byte, index) => this.put(offset + index, 1, byte, rule));
  }

  clear(offset: number, end: number, rule: RuleName): void {
    this.ruled.push({ offset, length: end - offset, rule });
    this.bytes.fill(0, offset, end);
  }

  /** The guest's bus has no extended space. */
  cutToConventional(): void {
    this.shownBytes = conventionalSizeBytes;
  }

  report(
    kind: string, rule: RuleName, says: string, offset: number | null = null,
    confidence: Confidence = confidenceOf(rule),
  ): void {
    this.findings.push({ kind, rule, confidence, says, offset });
  }

  leaveOpen(offset: number, length: number, rule: RuleName): void {
    this.unpredicted.push({ offset, length, rule });
  }

  /** The guest's space. It takes the bytes over: nothing can be read or written here any more. */
  toSpace(): ConfigSpace {
    return ConfigSpace.takeOver(this.bytes.subarray(0, Math.min(this.shownBytes, this.original.capturedBytes)));
  }
}

/** An end of the device, with the confidence of its rule unless told otherwise. */
export function ends(
  kind: 'refused' | 'aborts' | 'hangs', rule: RuleName, says: string = rules[rule][1],
  confidence: Confidence = confidenceOf(rule),
): Outcome {
  return { kind, rule, confidence, says };
}
