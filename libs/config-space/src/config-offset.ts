import { type Branded } from './branded.js';
import { ok, refuse, type Result } from './result.js';

/** Byte offset into the 4096-byte config space of one function; always DWORD aligned, 0x000..0xffc. */
export type ConfigOffset = Branded<number, 'ConfigOffset'>;

export interface NotAConfigOffset {
  readonly kind: 'not-a-config-offset';
  readonly given: number;
  readonly limit: 'a multiple of 4 in 0x000..0xffc';
}

export const ConfigOffset = {
  /** Refuses values outside 0x000..0xffc and values that are not a multiple of 4. */
  from(given: number): Result<ConfigOffset, NotAConfigOffset> {
    const aligned = Number.isInteger(given) && given % 4 === 0;
    if (aligned && given >= 0 && given <= 0xffc) return ok(given as ConfigOffset);
    return refuse({ kind: 'not-a-config-offset', given, limit: 'a multiple of 4 in 0x000..0xffc' });
  },
};
