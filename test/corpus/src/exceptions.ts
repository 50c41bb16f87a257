import { type Finding } from '@cadastre/config-space';

/**
 * Where lspci lists something else than Cadastre, and why. An exception is tied to a finding of the survey, so it
 * holds for every function with that finding and for no other.
 */
export interface ListException {
  readonly finding: Finding['kind'];
  /** `standard-only`: lspci shows no extended list. `more`: lspci goes on where Cadastre stops. */
  readonly lspci: 'standard-only' | 'more';
  readonly reason: string;
}

export const listExceptions: readonly ListException[] = [
  {
    finding: 'extended-without-express', lspci: 'standard-only',
    reason: 'nothing announces an extended space, so lspci does not look; Cadastre surveys what is there (reading A1)',
  },
  {
    finding: 'pointer-below-space', lspci: 'more',
    reason: 'lspci follows an extended pointer below 0x100 and shows what it takes for headers there (reading A3)',
  },
];

export interface RegisterException {
  /** Versions of lspci it is about. */
  readonly version: RegExp;
  readonly field: string;
  readonly reason: string;
}

/** Decoded registers of which an older lspci prints something else. The oracle's own version needs none. */
export const registerExceptions: readonly RegisterException[] = [
  {
    version: /version 3\.9\./,
    field: 'doeStatus.error',
    reason: 'prints Error+ for a DOE status of 2, which has the interrupt bit alone; the newer oracle prints Error-',
  },
];
