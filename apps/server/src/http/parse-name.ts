import { Bdf, type Result } from '@cadastre/config-space';
import { DeviceId, HostName, type NotAName, PersonaName, VmId } from '@cadastre/lifecycle';
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
  device: (given: string): DeviceId => parsed('/device', DeviceId.from(given)),
  address: (given: string, pointer = '/address'): Bdf => {
    const address = Bdf.from(given);
    if (address.ok) return address.value;
    throw EdgeProblem.field(pointer, given.slice(0, 80), address.refusal.limit, 'not a PCI address');
  },
};
