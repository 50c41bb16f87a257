import { hash } from 'node:crypto';
import { type Branded, type ConfigSpace } from '@cadastre/config-space';

/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = Branded<string, 'Digest'>;

export const Digest = {
  of(bytes: Uint8Array | string): Digest {
    return `sha256:${hash('sha256', bytes)}` as Digest;
  },
  /** Of the captured bytes of a config space. */
  ofSpace(space: ConfigSpace): Digest {
    return space.withBytes((bytes) => Digest.of(bytes));
  },
};
