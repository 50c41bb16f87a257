import {
  CapabilityName, type ClashFilter, clashKinds, type DeviceFilter, deviceStates, deviceVerdicts,
  type FunctionFilter, type MigrationFilter, Model,
} from '@cadastre/views';
import { migrationStates } from '@cadastre/lifecycle';
import { parse } from '../http/parse-name.js';
import { EdgeProblem } from '../problems/edge-problem.js';

type Given = Readonly<Record<string, unknown>>;

/** The filters of the lists; each refuses a value that no row could ever have. */
export const listFilter = {
  functions: (query: Given): FunctionFilter => conditions(query, { host, vm, model, capability, claimed }),
  devices: (query: Given): DeviceFilter =>
    conditions(query, { vm, host, model, capability, layoutDigest, verdict, state }),
  migrations: (query: Given): MigrationFilter =>
    conditions(query, { vm, host, state: oneOf('/state', migrationStates) }),
  clashes: (query: Given): ClashFilter => conditions(query, { kind: oneOf('/kind', clashKinds), host, vm }),
};

type Readers = Readonly<Record<string, (given: string) => unknown>>;

/** What was given of what can be: a condition that was not is left out. */
function conditions<Known extends Readers>(
  query: Given, readers: Known,
): { readonly [Name in keyof Known]?: ReturnType<Known[Name]> } {
  const read = Object.entries(readers).flatMap(([name, reader]) => {
    const given = query[name];
    if (given === undefined) return [];
    if (typeof given !== 'string') throw EdgeProblem.field(`/${name}`, given, 'one value', 'given twice');
    return [[name, reader(given)]];
  });
  return Object.fromEntries(read) as { readonly [Name in keyof Known]?: ReturnType<Known[Name]> };
}

const host = (given: string): string => parse.host(given);
const state = (given: string): (typeof deviceStates)[number] => oneOf('/state', deviceStates)(given);
const verdict = (given: string): (typeof deviceVerdicts)[number] => oneOf('/verdict', deviceVerdicts)(given);
const vm = (given: string): string => parse.vm(given);

function model(given: string): Model {
  const written = given.toLowerCase();
  if (Model.is(written)) return written;
  throw wrong('/model', given, 'vendor and device ID, four hexadecimal digits each: 8086:10d3', 'not a model');
}

function capability(given: string): CapabilityName {
  const name = given.toLowerCase();
  if (CapabilityName.is(name)) return name;
  throw wrong('/capability', given, 'a name that surveys tell, for example pasid', 'not a capability');
}

function claimed(given: string): boolean {
  if (given === 'true' || given === 'false') return given === 'true';
  throw wrong('/claimed', given, 'true or false', 'not a choice');
}

function layoutDigest(given: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(given)) return given;
  throw wrong('/layoutDigest', given, 'sha256: and 64 hexadecimal digits', 'not a digest');
}

function oneOf<Value extends string>(pointer: string, values: readonly Value[]): (given: string) => Value {
  return (given) => {
    const value = values.find((one) => one === given);
    if (value !== undefined) return value;
    throw wrong(pointer, given, values.join(', '), 'not one of its values');
  };
}

function wrong(pointer: string, given: string, limit: string, detail: string): EdgeProblem {
  return EdgeProblem.field(pointer, given.slice(0, 80), limit, detail);
}
