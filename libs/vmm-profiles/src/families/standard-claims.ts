import { ByteRange, extendedSpaceAt } from '@cadastre/config-space';

/** The bytes of the standard space that capabilities of a guest have taken. QEMU takes them in whole DWORDs (Q4). */
export class StandardClaims {
  private readonly claims: ByteRange[] = [];

  /** @returns where the capability starts that is in the way; undefined when the bytes were free, and now are not */
  take(offset: number, size: number): number | undefined {
    const wanted = { offset, length: Math.min(size, extendedSpaceAt - offset) };
    const meets = (one: ByteRange): number => Math.max(one.offset, offset);
    let inTheWay: ByteRange | undefined;
    for (const one of this.claims) {
      if (!ByteRange.overlaps(one, wanted)) continue;
      // The first one met on the way up. Where the padding of one covers another, the later one has the bytes.
      if (inTheWay === undefined || meets(one) <= meets(inTheWay)) inTheWay = one;
    }
    if (inTheWay === undefined) this.claims.push({ offset, length: (size + 3) & ~3 });
    return inTheWay?.offset;
  }
}
