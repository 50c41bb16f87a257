import { type ConfigSpace, survey } from '@cadastre/config-space';
import { type VmmDecision } from '@cadastre/device-layout';
import {
  type DecidedGuest, type Explanation, identify, profileNamed, settingsThatDiffer, type VmmProfile,
} from '@cadastre/vmm-profiles';
import { type DecidedLayout, type GuestOrigin, type LikelyCause } from './device-events.js';

/**
 * The profile, kernel and knobs that come nearest to what the guest shows, and what that means; null when none starts.
 * Of several that are as near, the one nearest to what was decided is told, and the others with it.
 */
export function likelyCause(layout: DecidedLayout, physical: ConfigSpace, seen: ConfigSpace): LikelyCause | null {
  const decided = layout.vmm && decidedGuest(layout.vmm);
  const [best, ...others] = identify(physical, seen, decided);
  if (!best) return null;
  const because = layout.vmm && decided ? becauseOf(best, layout, layout.vmm, decided, seen)
    : { rule: null, says: 'no VMM was named: nothing was predicted' };
  return {
    ...originOf(best), differingBytes: best.differingBytes, ...because,
    ties: others.filter(({ differingBytes }) => differingBytes === best.differingBytes).map(originOf),
  };
}

function decidedGuest({ profile, kernel, vmm: { port, settings }, knobs }: VmmDecision): DecidedGuest {
  return { profile, kernel, port, settings: { ...settings, ...knobs } };
}

function originOf({ profile, revision, kernels, port, settings }: Explanation): GuestOrigin {
  return { profile, revision, kernels, port, settings };
}

type Because = Pick<LikelyCause, 'rule' | 'says'>;

const pasid = 0x1b;

/** The first thing in which the guest is not as it was decided, with the rule that speaks of it. */
function becauseOf(
  best: Explanation, layout: DecidedLayout, { findings, unmet, kernel }: VmmDecision, decided: DecidedGuest,
  seen: ConfigSpace,
): Because {
  if (best.profile !== decided.profile.name) {
    return { rule: null, says: `the guest is one of ${best.profile}, and ${decided.profile.name} was named` };
  }
  if (best.port !== decided.port) {
    return { rule: 'Q5', says: `the guest has it on ${best.port}, and ${decided.port} was named` };
  }
  const profile = profileNamed(best.profile, best.revision);
  const [setting] = settingsThatDiffer(best.settings, decided.settings);
  const isMissing = layout.placements.some(({ id }) => id === pasid)
    && !survey(seen).capabilities.some(({ space, id }) => space === 'extended' && id === pasid);
  if (isMissing && profile.ok) {
    const told = findings.find(({ kind }) => kind === 'pasid-not-made');
    return told ? { rule: told.rule, says: `made no PASID: ${told.says}` } : noPasid[profile.value.pasid.kind];
  }
  if (setting !== undefined && profile.ok) return settingBecause(setting, best, decided, profile.value);
  if (!best.kernels.includes('any') && !best.kernels.some((one) => one === `${kernel.release} ${kernel.flavour}`)) {
    return { rule: 'K14', says: `the host has another kernel: ${best.kernels.join(', ')}` };
  }
  const [first] = unmet;
  if (best.differingBytes === 0 && first) return { rule: first.rule, says: `as it was predicted: ${first.says}` };
  return { rule: null, says: `${best.differingBytes} bytes that no profile explains` };
}

/** What a VMM that was to make PASID does where it cannot. */
const noPasid: { readonly [K in VmmProfile['pasid']['kind']]: Because } = {
  'setting': { rule: 'Q21', says: 'made no PASID: the offset could not be, iommufd told no width, or the vIOMMU has'
    + ' none; the VM starts without it' },
  'end-of-space': { rule: 'C14', says: 'made no PASID: iommufd told no width, or the vIOMMU has none' },
  'not-known': { rule: 'O5', says: 'made no PASID' },
  'document': { rule: null, says: 'the layout document was not obeyed' },
  'none': { rule: 'no synthesis', says: 'makes no PASID' },
};

function settingBecause(
  name: string, best: Explanation, decided: DecidedGuest, { settings }: VmmProfile,
): Because {
  const shown = (of: Readonly<Record<string, string>>): string => of[name] ?? 'not set';
  const rule = Object.hasOwn(settings, name) ? settings[name]?.rule : undefined;
  return { rule: rule ?? null, says: `${name} is ${shown(best.settings)}, and ${shown(decided.settings)} was decided` };
}
