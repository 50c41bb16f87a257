import { extendedSpaceAt } from '@cadastre/config-space';

/** The bytes of the standard space that capabilities of a guest have taken. QEMU takes them in whole DWORDs (Q4). */
export class StandardClaims {
  /** Start of the capability that has the byte; 0, where none can start, for nobody. */
  private readonly owners = new Uint8Array(extendedSpaceAt);

  /** @returns where the capability starts that is in the way; undefined when the bytes were free, and now are not */
  take(offset: number, size: number): number | undefined {
    const end = Math.min(offset + size, extendedSpaceAt);
    for (let at = offset; at < end; at += 1) {
      const owner = this.owners[at] ?? 0;
      if (owner !== 0) return owner;
    }
    this.owners.fill(offset, offset, offset + ((size + 3) & ~3));
    return undefined;
  }
}
