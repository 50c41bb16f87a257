import { profileNamed, type VmmProfile, vmmProfiles } from '@cadastre/vmm-profiles';

/** Names a request may have for a VMM. */
export const profileNames: readonly string[] = vmmProfiles.map(({ name }) => name);

/** The profile of a name the validation let through. */
export function givenProfile(name: string): VmmProfile {
  const found = profileNamed(name);
  if (found.ok) return found.value;
  throw new Error(`${name} passed as one of ${found.refusal.known.join(', ')}`);
}
