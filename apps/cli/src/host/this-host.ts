import { hostname } from 'node:os';

/** The name of this host, as a ledger can take it: a host name may hold what a ledger's name may not. */
export function thisHost(): string {
  return hostname().replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(0, 64) || 'this-host';
}
