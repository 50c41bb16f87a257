import { type ConfigOffset } from './config-offset.js';

/** One edit of one DWORD: the bits in `mask` read as those of `value`, all others as the original. Unsigned. */
export interface ConfigPatch {
  readonly offset: ConfigOffset;
  readonly mask: number;
  readonly value: number;
}
