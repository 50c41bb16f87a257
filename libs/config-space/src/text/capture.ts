import { type Bdf } from '../bdf.js';
import { type ConfigSpace } from '../config-space.js';

/** One function as a dump shows it. */
export interface Capture {
  readonly address: Bdf;
  /** What followed the address in the header line; "" when nothing did. */
  readonly title: string;
  readonly space: ConfigSpace;
  /** The dump shows segment 0000, which lspci leaves out unless another one is there too. */
  readonly showsSegment?: true;
}

/** Why a dump cannot be read, and where: `line` and `column` count from 1. */
export interface NotADump {
  readonly kind: 'not-a-dump';
  readonly line: number;
  readonly column: number;
  readonly problem: string;
}
