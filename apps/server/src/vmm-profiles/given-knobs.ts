import { ConfigOffset, type ConfigPatch } from '@cadastre/config-space';
import { type Knobs, type VmmProfile, wrongSetting } from '@cadastre/vmm-profiles';
import { offsetNumber } from '../http/validation.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { type KnobsDto } from './vmm-profiles.dto.js';

/** What a control plane sets. Refuses a setting the VMM does not have, or not with that value. */
export function givenKnobs(given: KnobsDto | null | undefined, profile: VmmProfile): Knobs {
  const settings = settingsIn(given?.settings ?? {});
  const wrong = wrongSetting(profile.settings, settings);
  if (wrong) throw EdgeProblem.field(pointerTo(wrong.name), wrong.given.slice(0, 80), wrong.allowed, wrong.kind);
  if (given?.patches && profile.pasid.kind !== 'document') {
    throw EdgeProblem.field('/knobs/patches', null, 'the VMM generic', `${profile.name} obeys no layout document`);
  }
  const { port, viommuPasid, patches } = given ?? {};
  return { ...(port ? { port } : {}), viommuPasid: viommuPasid ?? true, settings, patches: (patches ?? []).map(patch) };
}

function pointerTo(name: string): string {
  return `/knobs/settings/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Numbers may be written as such. */
function settingsIn(given: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => {
    if (typeof value === 'string' || typeof value === 'number') return [name, String(value)];
    throw EdgeProblem.field(pointerTo(name), null, 'text or a number', 'not a setting');
  }));
}

function patch({ offset, mask, value }: { offset: string | number; mask: number; value: number }, index: number):
ConfigPatch {
  const at = ConfigOffset.from(offsetNumber(offset));
  if (at.ok) return { offset: at.value, mask, value };
  throw EdgeProblem.field(`/knobs/patches/${index}/offset`, offset, 'a multiple of 4 up to 0xffc', 'not a DWORD');
}
