import { kernelViews } from '@cadastre/config-space';
import { allowedValues } from './knobs.js';
import { type Confidence, rules } from './rules.js';
import { vmmAbilities } from './vmm-abilities.js';
import { type VmmProfile } from './vmm-profile.js';
import { vmmProfiles } from './vmm-profiles.js';

const sure: { readonly [C in Confidence]: string } = { V: 'read or observed', D: 'derived', U: 'not verified' };

/** docs/reference/vmm-profiles.md, from the data: what it says of a profile is what the profile does. */
export function referencePage(): string {
  return [
    '# VMM profiles',
    '',
    'This page says where the VMMs differ in what they show a guest of a function they pass through, and what they',
    'can be told.',
    '',
    '<!-- Written by tools/write-vmm-profiles-page.mjs from libs/vmm-profiles. Do not edit. -->',
    '',
    'A profile is one version of one VMM. What it reads is what Linux vfio-pci shows of the function, which depends on',
    'the release and the flavour of the host kernel; `cadastre predict` takes both. A released revision is never',
    'edited: a correction is a new one beside it.',
    '',
    '## Where they differ',
    '',
    ...table(['profile', 'hides', 'what is left of it', 'PASID it makes', 'when it cannot', 'writes to what it made',
      'migration'], vmmProfiles.map(differences)),
    '',
    'Where a VMM has a place of its own for PASID and nobody says another, the guest finds it there: that implicit',
    'default is part of every answer of `cadastre knobs`.',
    '',
    '## Settings',
    '',
    ...table(['profile', 'setting', 'values', 'rule'], vmmProfiles.flatMap(settings)),
    '',
    '## Evidence',
    '',
    ...table(['profile', 'revision', 'evidence', 'source'], vmmProfiles.map(({ name, revision, evidence, source }) =>
      [code(name), String(revision), evidence, source])),
    '',
    '## The first stage: Linux vfio-pci',
    '',
    'A view is what vfio-pci of some releases shows; releases in between show what the one before them does. A',
    'prediction names the view it was made with, and its revision.',
    '',
    ...table(['view', 'revision', 'flavour', 'PCI Express endpoint', 'DVSEC', 'PASID', 'evidence', 'source'],
      kernelViews.map((view) => [code(view.name), String(view.revision), view.flavour,
        `${view.expressEndpointBytes} bytes`, shown(view.showsDvsec), shown(view.extended[0x1b] !== undefined),
        view.evidence, view.source])),
    '',
    '## Rules',
    '',
    'A finding names its rule and how sure it is: `V` read in a source or observed in captures, `D` derived from',
    'such, `U` not verified.',
    '',
    ...table(['rule', 'sure', 'what it says'], Object.entries(rules).map(([rule, [confidence, says]]) =>
      [rule, `${confidence}, ${sure[confidence]}`, says])),
    '',
  ].join('\n');
}

function differences(profile: VmmProfile): readonly string[] {
  const { name, hides, failureMode, forwardsSyntheticWrites, migration, reads } = profile;
  const ids = hides.ids.map((id) => `0x${id.toString(16).padStart(2, '0')}`).join(', ') || '-';
  const { placing } = vmmAbilities(profile);
  const makes = placing !== 'none' && placing !== 'whole-document';
  const through = forwardsSyntheticWrites ? 'also reach the hardware' : 'stay in the VMM';
  return [code(name), ids, hides.leaves, placeOf(profile), failureMode,
    makes ? through : '-', `${migration.kind}: ${migration.says}${reads === 'vfio-pci' ? '' : ` (reads ${reads})`}`];
}

function placeOf(profile: VmmProfile): string {
  const { placing, setting, implicitOffset } = vmmAbilities(profile);
  const implicit = implicitOffset === null ? '' : `0x${implicitOffset.toString(16)}`;
  switch (placing) {
    case 'pinned-by-setting': return `at ${code(setting ?? '')}, else ${implicit}`;
    case 'end-of-space-only': return `at ${implicit}, nowhere else`;
    case 'whole-document': return 'where the document says';
    case 'not-known': return 'somewhere: not known';
    case 'none': return 'none';
  }
}

function settings({ name, settings: rows }: VmmProfile): readonly (readonly string[])[] {
  return Object.entries(rows).map(([setting, row]) => [code(name), code(setting), allowedValues(row),
    row.rule]);
}

const shown = (isShown: boolean): string => (isShown ? 'shown' : 'hidden');

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
