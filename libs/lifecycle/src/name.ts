import { type Branded, ok, refuse, type Result } from '@cadastre/config-space';

/** A host, as the control plane names it. */
export type HostName = Branded<string, 'HostName'>;
/** A virtual machine, as the control plane names it. */
export type VmId = Branded<string, 'VmId'>;
/** A persona, as its publisher names it. */
export type PersonaName = Branded<string, 'PersonaName'>;
/** A migration of one virtual machine. */
export type MigrationId = Branded<string, 'MigrationId'>;
/** An import of one virtual machine. */
export type ImportId = Branded<string, 'ImportId'>;
/** A device of one virtual machine. */
export type DeviceId = Branded<string, 'DeviceId'>;

export interface NotAName {
  readonly kind: 'not-a-name';
  readonly given: string;
  readonly limit: string;
}

/** Names are parts of stream names, separated by `/`, and of URLs: no separator, no white space, no leading dot. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const limit = '1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit';

function parse<Name extends string>(given: string): Result<Branded<string, Name>, NotAName> {
  if (namePattern.test(given)) return ok(given as Branded<string, Name>);
  return refuse({ kind: 'not-a-name', given: given.slice(0, 80), limit });
}

export const HostName = { from: (given: string): Result<HostName, NotAName> => parse<'HostName'>(given) };
export const VmId = { from: (given: string): Result<VmId, NotAName> => parse<'VmId'>(given) };
export const PersonaName = {
  from: (given: string): Result<PersonaName, NotAName> => parse<'PersonaName'>(given),
};
export const MigrationId = {
  from: (given: string): Result<MigrationId, NotAName> => parse<'MigrationId'>(given),
};
export const ImportId = { from: (given: string): Result<ImportId, NotAName> => parse<'ImportId'>(given) };
export const DeviceId = { from: (given: string): Result<DeviceId, NotAName> => parse<'DeviceId'>(given) };
