import { type Branded } from './branded.js';
import { ok, refuse, type Result } from './result.js';

/**
 * Address of one PCI function: segment (Linux: domain), bus, device, function, as `dddd:bb:dd.f` in lower case.
 * The segment has four digits, or up to eight where the host numbers further (Intel VMD starts at 10000).
 */
export type Bdf = Branded<string, 'Bdf'>;

export interface NotABdf {
  readonly kind: 'not-a-bdf';
  readonly given: string;
  readonly limit: string;
}

const shape = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-9a-f]{1,2})$/;

/** PCI Local Bus Specification, "Configuration Address": 5 device bits, 3 function bits. */
const deviceMax = 0x1f;
const functionMax = 7;

export const Bdf = {
  /** Refuses what is not `[dddd:]bb:dd.f`, a device above 1f and a function above 7. A missing segment is 0000. */
  from(given: string): Result<Bdf, NotABdf> {
    const parts = shape.exec(given.toLowerCase());
    if (!parts) return refuse({ kind: 'not-a-bdf', given, limit: '[dddd:]bb:dd.f in hexadecimal' });
    const [, segment = '0000', bus = '', device = '', fn = ''] = parts;
    if (parseInt(device, 16) > deviceMax) return refuse({ kind: 'not-a-bdf', given, limit: 'device 00..1f' });
    if (parseInt(fn, 16) > functionMax) return refuse({ kind: 'not-a-bdf', given, limit: 'function 0..7' });
    const shortest = segment.replace(/^0+/, '').padStart(4, '0');
    return ok(`${shortest}:${bus}:${device}.${parseInt(fn, 16)}` as Bdf);
  },
};
