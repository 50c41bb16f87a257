import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { planWhatFits, plannerVersion } from '@cadastre/device-layout';
import { samplePlans } from './sample-plans.js';

const file = fileURLToPath(new URL('../fixtures/planner-1.json', import.meta.url));

/** For each sample, policy and set what was placed where, what was refused, and the digest that names the layout. */
type Golden = Readonly<Record<string, Readonly<Record<string, string>>>>;

function planned(): Golden {
  const golden: Record<string, Record<string, string>> = {};
  for (const { sample, policy, wanted, request } of samplePlans()) {
    const { planned: plan, notPlaced } = planWhatFits(request);
    const places = plan?.layout.placements.map(({ name, offset, strategy }) =>
      `${name}@${offset.toString(16)} ${strategy}`) ?? [];
    const digest = plan?.layoutDigest.slice('sha256:'.length, 'sha256:'.length + 16) ?? 'none';
    const refused = notPlaced.map(({ name }) => `no ${name}`);
    golden[sample] = { ...golden[sample], [`${policy} ${wanted}`]: [digest, ...places, ...refused].join(', ') };
  }
  return golden;
}

const whatToDo = `
Decisions that name ${plannerVersion} are in ledgers, and guests have cached their offsets. If this was not meant, mend
the planner. If it was, and ${plannerVersion} is released: leave it as it is and give the new rules to the next planner,
with a file of its own. Only while it is not released: read every line of the difference, then write the file anew with
  CADASTRE_GOLDEN=write npx nx judge @cadastre/corpus -- planner-golden`;

describe(`the layouts of ${plannerVersion} over all samples`, () => {
  it('are those it has always given', () => {
    const now = planned();
    if (process.env['CADASTRE_GOLDEN'] === 'write') writeFileSync(file, `${JSON.stringify(now, null, 1)}\n`);
    const before = JSON.parse(existsSync(file) ? readFileSync(file, 'utf8') : '{}') as Golden;
    const differing = [...new Set([...Object.keys(now), ...Object.keys(before)])].flatMap((sample) =>
      [...new Set([...Object.keys(now[sample] ?? {}), ...Object.keys(before[sample] ?? {})])]
        .filter((plan) => now[sample]?.[plan] !== before[sample]?.[plan])
        .map((plan) => `${sample}, ${plan}:\n  was ${before[sample]?.[plan]}\n  is  ${now[sample]?.[plan]}`));
    if (differing.length > 0) throw new Error(`${differing.join('\n')}\n${whatToDo}`);
  });

  it('are of the version they are kept for', () => {
    expect(plannerVersion).toBe('planner/1');
  });
});
