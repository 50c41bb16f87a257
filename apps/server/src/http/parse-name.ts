import { Bdf, Pasid, type Result } from '@cadastre/config-space';
import { DeviceId, HostName, ImportId, MigrationId, type NotAName, PersonaName, VmId } from '@cadastre/lifecycle';
import { EdgeProblem } from '../problems/edge-problem.js';

function parsed<Name>(pointer: string, result: Result<Name, NotAName>): Name {
  if (result.ok) return result.value;
  throw EdgeProblem.field(pointer, result.refusal.given, result.refusal.limit, 'not a name');
}

/** Parsers of names at the edge; each refuses with the field's JSON Pointer. */
export const parse = {
  host: (given: string, pointer = '/host'): HostName => parsed(pointer, HostName.from(given)),
  vm: (given: string): VmId => parsed('/vm', VmId.from(given)),
  persona: (given: string, pointer = '/name'): PersonaName => parsed(pointer, PersonaName.from(given)),
  device: (given: string, pointer = '/device'): DeviceId => parsed(pointer, DeviceId.from(given)),
  migration: (given: string): MigrationId => parsed('/id', MigrationId.from(given)),
  import: (given: string): ImportId => parsed('/id', ImportId.from(given)),
  address: (given: string, pointer = '/address'): Bdf => {
    const address = Bdf.from(given);
    if (address.ok) return address.value;
    throw EdgeProblem.field(pointer, given.slice(0, 80), address.refusal.limit, 'not a PCI address');
  },
  /** The address a device is to go to, of `/target/functions`. */
  functionOf: (device: string, given: unknown): Bdf => {
    const pointer = `/target/functions/${device}`;
    if (typeof given === 'string') return parse.address(given, pointer);
    throw EdgeProblem.field(pointer, null, 'the address of a function', 'not an address');
  },
  /** In decimal, or in hexadecimal behind `0x`. */
  pasid: (given: string): Pasid => {
    const pasid = /^(0x[0-9a-f]{1,5}|\d{1,7})$/i.test(given) ? Pasid.from(Number(given)) : undefined;
    if (pasid?.ok) return pasid.value;
    throw EdgeProblem.field('/pasid', given.slice(0, 80), 'a PASID: 0..1048575, or 0x0..0xfffff', 'not a PASID');
  },
};
