import {
  readPlanPolicy, registersNamed, type SyntheticName, type SyntheticRegisters, type VmmRequest,
} from '@cadastre/device-layout';
import { type NamedWish } from '@cadastre/ledger';
import { type CapabilityRequest, grantedAsRequested } from '@cadastre/lifecycle';
import { parse } from '../http/parse-name.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { type CapabilityRequestDto, type LayoutWishDto, type VmmDto } from './attach-device.dto.js';

/** Settings of one device: more than any VMM has. */
const settingsMax = 64;
const settingName = /^[a-z][a-z0-9_-]{0,63}$/;
const settingValue = /^[\x20-\x7e]{0,128}$/;

/** What a request wants a guest to find. */
export function wishOf(body: LayoutWishDto): NamedWish {
  const policy = readPlanPolicy(body.policy ?? undefined, body.capabilities.map(({ name }) => name));
  if (!policy.ok) {
    const { pointer, problem } = policy.refusal;
    throw EdgeProblem.field(`/policy${pointer}`, null, problem, 'not a policy');
  }
  return {
    requested: body.capabilities.map(requested), ...policy.value, persona: personaOf(body),
    vmm: body.vmm ? vmmOf(body.vmm) : null, keepPlaces: body.keepPlaces ?? true,
  };
}

/** A persona is worn whole: what it does not have, nobody gets beside it. */
function personaOf({ persona, capabilities, policy }: LayoutWishDto): NamedWish['persona'] {
  if (!persona) return null;
  if (capabilities.length > 0) {
    throw EdgeProblem.field('/capabilities', capabilities.length, 'none beside a persona', 'a persona is worn whole');
  }
  const [member] = Object.keys(policy ?? {});
  if (member !== undefined) {
    throw EdgeProblem.field(`/policy/${member}`, null, 'none beside a persona', 'a persona is worn whole');
  }
  return { name: parse.persona(persona.name, '/persona/name'), version: persona.version ?? null };
}

/** Width and permissions are those of PASID, registers those of what only the request can fill. */
export function requested(one: CapabilityRequestDto, index: number): CapabilityRequest {
  const { name, width, exec, priv, registers } = one;
  const refuseAll = (members: Readonly<Record<string, unknown>>): void => {
    const given = Object.entries(members).find(([, value]) => value !== undefined && value !== null);
    if (!given) return;
    throw EdgeProblem.field(`/capabilities/${index}/${given[0]}`, null, 'nothing', `not a member of ${name}`);
  };
  if (name === 'pasid') {
    refuseAll({ registers });
    return { name, widthBits: width ?? null, exec: exec ?? null, priv: priv ?? null };
  }
  refuseAll({ width, exec, priv });
  const filled = grantedAsRequested.find((known) => known === name);
  const at = `/capabilities/${index}/registers`;
  if (filled) return { name: filled, registers: registersOf(name, registers ?? {}, at) };
  refuseAll({ registers });
  return { name } as CapabilityRequest;
}

/** Values as people write them: 7, or "0x7". */
function registersOf(
  name: SyntheticName, given: Readonly<Record<string, unknown>>, pointer: string,
): SyntheticRegisters {
  const registers = Object.entries(given).map(([field, value]) => {
    if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,16}$/.test(value)) {
      return registersNamed(name, field, BigInt(value));
    }
    if (typeof value === 'number') return { [field]: value };
    throw EdgeProblem.field(`${pointer}/${field}`, null, 'a whole number, or "0x..."', 'not a number');
  });
  return Object.fromEntries(registers.flatMap((one) => Object.entries(one)));
}

/** A VMM as a request names it. Refuses settings no VMM could have. */
export function vmmOf({ name, version, port, settings }: VmmDto, pointer = '/vmm'): VmmRequest {
  const given = Object.entries(settings ?? {});
  if (given.length > settingsMax) {
    throw EdgeProblem.field(`${pointer}/settings`, given.length, `at most ${settingsMax}`, 'too many settings');
  }
  return {
    name, version: version ?? null, port: port ?? 'root-port',
    settings: Object.fromEntries(given.map(([key, value]) =>
      [settingNamed(key, pointer), settingOf(key, value, pointer)])),
  };
}

function settingNamed(name: string, pointer: string): string {
  if (settingName.test(name)) return name;
  throw EdgeProblem.field(`${pointer}/settings`, name.slice(0, 80), 'names as the VMM spells them', 'not a setting');
}

function settingOf(name: string, value: unknown, pointer: string): string {
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (typeof text === 'string' && settingValue.test(text)) return text;
  throw EdgeProblem.field(`${pointer}/settings/${name}`, null, 'text of at most 128 printable characters',
    'not a value');
}
