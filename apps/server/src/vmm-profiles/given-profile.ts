import { profileFor, profileNamed, type ProfileTaken, type VmmProfile, vmmProfiles } from '@cadastre/vmm-profiles';
import { EdgeProblem } from '../problems/edge-problem.js';
import { type VmmVersionDto } from './vmm-profiles.dto.js';

/** Names a request may have for a VMM. */
export const profileNames: readonly string[] = vmmProfiles.map(({ name }) => name);

/** The profile of a name the validation let through. */
export function givenProfile(name: string): VmmProfile {
  const found = profileNamed(name);
  if (found.ok) return found.value;
  throw new Error(`${name} passed as one of ${found.refusal.known.join(', ')}`);
}

/** The profile of a VMM and version, as attach takes them; what is guessed about it is in the answer. */
export function givenVmm({ name, version }: VmmVersionDto): ProfileTaken {
  const taken = profileFor({ name, version: version ?? null });
  if (taken.ok) return taken.value;
  throw EdgeProblem.field('/vmm', [name, version].filter((one) => one).join(' ').slice(0, 80),
    `${profileNames.join(', ')}, or name and version: ${taken.refusal.known.join(', ')}`, 'not a known VMM');
}
