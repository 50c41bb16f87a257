import { type ConfigPatch } from './config-patch.js';
import { ok, refuse, type Result } from './result.js';

/** Bytes of a function that has only the conventional configuration space. PCI Local Bus Specification. */
export const conventionalSizeBytes = 256;
/** Bytes of a function with the extended configuration space. PCIe Base Specification, "Configuration Space". */
export const extendedSizeBytes = 4096;
/** Where extended configuration space begins. */
export const extendedSpaceAt = 0x100;
/** Bytes of the common header; `lspci -x` and an unprivileged read of sysfs stop here. */
export const headerSizeBytes = 64;

export interface NotAConfigSpace {
  readonly kind: 'not-a-config-space';
  readonly sizeBytes: number;
  readonly limit: string;
}

/**
 * The configuration space of one function as it was captured: 256 or 4096 bytes, little endian, never edited.
 * What a guest shall see instead is described by patches and computed by `patched`.
 */
export class ConfigSpace {
  private readonly view: DataView;
  private readonly dwords: Uint32Array;

  private constructor(
    private readonly bytes: Uint8Array<ArrayBuffer>,
    /** Bytes the function has. */
    readonly size: typeof conventionalSizeBytes | typeof extendedSizeBytes,
    /** Bytes that were really read; those behind are unknown and read as zero here. */
    readonly capturedBytes: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.dwords = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }

  /** A whole config space. Refuses every size but 256 and 4096 bytes. */
  static from(given: Uint8Array): Result<ConfigSpace, NotAConfigSpace> {
    if (given.length === conventionalSizeBytes || given.length === extendedSizeBytes) {
      return ok(new ConfigSpace(Uint8Array.from(given), given.length, given.length));
    }
    return refuse({ kind: 'not-a-config-space', sizeBytes: given.length, limit: '256 or 4096 bytes' });
  }

  /**
   * A capture that may have stopped early: 64..4096 bytes. More than 256 bytes prove an extended space.
   * It can be surveyed; a layout needs a whole one (reading A2).
   */
  static fromCapture(given: Uint8Array): Result<ConfigSpace, NotAConfigSpace> {
    if (given.length < headerSizeBytes || given.length > extendedSizeBytes) {
      return refuse({ kind: 'not-a-config-space', sizeBytes: given.length, limit: '64 to 4096 bytes' });
    }
    const size = sizeOf(given.length);
    const bytes = new Uint8Array(size);
    bytes.set(given);
    return ok(new ConfigSpace(bytes, size, given.length));
  }

  /**
   * A capture that was made only to become one: its buffer changes hands instead of being copied, so the array is empty
   * afterwards and nobody can edit what is a config space now. Throws at what `fromCapture` refuses.
   * @param given starts at the beginning of a buffer that holds nothing else
   */
  static takeOver(given: Uint8Array<ArrayBuffer>): ConfigSpace {
    const capturedBytes = given.length;
    if (capturedBytes < headerSizeBytes || capturedBytes > extendedSizeBytes || given.byteOffset !== 0) {
      throw new Error(`${capturedBytes} bytes at ${given.byteOffset} of a buffer are not a config space`);
    }
    const size = sizeOf(capturedBytes);
    const bytes = new Uint8Array(given.buffer.transfer(size));
    return new ConfigSpace(bytes.fill(0, capturedBytes), size, capturedBytes);
  }

  get isWhole(): boolean {
    return this.capturedBytes === this.size;
  }

  get hasExtendedSpace(): boolean {
    return this.size === extendedSizeBytes;
  }

  /** Reads one byte. An offset outside the space is a bug and throws, here and in `u16` and `u32`. */
  u8(offset: number): number {
    return this.view.getUint8(offset);
  }

  u16(offset: number): number {
    return this.view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  /** Offset of the first DWORD in `from..to` that is not zero; `to` when all are. Both are multiples of 4. */
  nonZeroFrom(from: number, to: number): number {
    for (let index = from >>> 2; index < to >>> 2; index += 1) {
      // Whatever the byte order of this machine, zero is zero.
      if (this.dwords[index] !== 0) return index * 4;
    }
    return to;
  }

  /** True when all `length` bytes at `offset` were captured. */
  captured(offset: number, length: number): boolean {
    return offset >= 0 && offset + length <= this.capturedBytes;
  }

  /** What `read` makes of the captured bytes. They are lent: it changes nothing in them and keeps nothing of them. */
  withBytes<Answer>(read: (bytes: Uint8Array) => Answer): Answer {
    return read(this.isWhole ? this.bytes : this.bytes.subarray(0, this.capturedBytes));
  }

  /** A copy of the captured bytes, or of the first `sizeBytes` of the function: what was not captured is 0. */
  toBytes(sizeBytes: number = this.capturedBytes): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, sizeBytes);
  }

  /** The space with the patches applied in order; this one stays as it is. */
  patched(patches: readonly ConfigPatch[]): ConfigSpace {
    const copy = new ConfigSpace(this.bytes.slice(), this.size, this.capturedBytes);
    for (const { offset, mask, value } of patches) {
      const kept = copy.view.getUint32(offset, true) & ~mask;
      copy.view.setUint32(offset, (kept | (value & mask)) >>> 0, true);
    }
    return copy;
  }

  equals(other: ConfigSpace): boolean {
    if (this.size !== other.size || this.capturedBytes !== other.capturedBytes) return false;
    return this.bytes.every((byte, offset) => byte === other.bytes[offset]);
  }
}

/** More than 256 bytes prove an extended space. */
function sizeOf(capturedBytes: number): ConfigSpace['size'] {
  return capturedBytes <= conventionalSizeBytes ? conventionalSizeBytes : extendedSizeBytes;
}
