import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SriovRole, survey, type Survey } from '@cadastre/config-space';
import {
  defaultStrategies, knownQuirks, type LayoutOperation, type LayoutRequest, type PhysicalFunction, type PlacementPolicy,
  type SyntheticName, type WantedCapability,
} from '@cadastre/device-layout';
import { readCaptures, samplesFolder } from './corpus.js';

/** One plan over a sample: the sample, the policy and what is wanted, by name. */
export interface SamplePlan {
  readonly sample: string;
  readonly policy: string;
  readonly wanted: string;
  readonly request: LayoutRequest;
}

interface Sample {
  readonly file: string;
  readonly address: string;
  readonly role: SriovRole;
  readonly pf: string | null;
}

const fields: Readonly<Partial<Record<SyntheticName, WantedCapability['registers']>>> = {
  pasid: { executeSupported: 1, privilegedSupported: 1, maxPasidWidth: 16 },
  pri: { outstandingPageRequestCapacity: 32 },
  dsn: { serialNumberLower: 0x01234567, serialNumberUpper: 0x89abcdef },
  dvsec: { dvsecVendorId: 0x1af4, dvsecId: 7, valueLow: 5 },
};
const sets: readonly (readonly SyntheticName[])[] = [
  ['pasid'], ['pasid', 'pri', 'ats'], ['dsn', 'acs', 'dvsec', 'pasid']];

const strategies: PlacementPolicy['strategies'] = ['pinned', ...defaultStrategies];
const none = { pinned: {}, allowedRanges: [], forbiddenRanges: [] } as const;
const byDefault: PlacementPolicy = { ...none, strategies: defaultStrategies };

/** What a policy says of a plan over a function. */
const policies: Readonly<Record<string, (over: Survey) => Partial<LayoutRequest>>> = {
  default: () => ({ policy: byDefault }),
  gap: () => ({ policy: { ...none, strategies: ['gap'] } }),
  pinned: () => ({ policy: { ...none, strategies, pinned: { pasid: 0xff8, pri: 0x800 } } }),
  ranges: () => ({ policy: { ...byDefault, allowedRanges: [{ offset: 0x400, length: 0x100 }],
    forbiddenRanges: [{ offset: 0x400, length: 0x20, reason: 'kept' }] } }),
  told: () => ({ policy: byDefault, persona: { persona: 'sample@1', places: { ats: 0x700 } },
    told: [{ by: 'plugin', source: 'plugin sample 1', name: null, range: { offset: 0x600, length: 0x40 } }] }),
  operations: (over) => ({ policy: byDefault, operations: operationsOver(over) }),
};

/** Another device ID, the subsystem's where there is one, and the first extended capability hidden. */
function operationsOver({ capabilities, header }: Survey): readonly LayoutOperation[] {
  const first = capabilities.find(({ space }) => space === 'extended');
  return [
    { kind: 'replace-identity', field: 'deviceId', value: 0xcada, reason: 'sample' },
    ...(header.type === 0
      ? [{ kind: 'replace-identity', field: 'subsystemId', value: 0x57e5, reason: 'sample' } as const] : []),
    ...(first ? [{ kind: 'hide-capability', space: 'extended', id: first.id, offset: first.offset, reason: 'sample' } as
      const] : []),
  ];
}

/** Every sample with every policy and every set of capabilities. */
export function samplePlans(): readonly SamplePlan[] {
  const { functions } = JSON.parse(readFileSync(join(samplesFolder, 'samples.json'), 'utf8')) as
    { readonly functions: readonly Sample[] };
  const surveys = new Map(functions.map(({ file, address, role }) => [address, { file, over: surveyOf(file, role) }]));
  return functions.flatMap(({ file, address, pf }) => {
    const over = surveys.get(address)?.over;
    if (!over) throw new Error(`no survey of ${file}`);
    const physicalFunction: PhysicalFunction | null = pf === null ? null
      : { address: pf, survey: surveys.get(pf)?.over ?? null };
    return Object.entries(policies).flatMap(([policy, change]) => sets.map((names): SamplePlan => ({
      sample: file.replace('.lspci', ''), policy, wanted: names.join(','),
      request: {
        survey: over, physicalFunction, policy: byDefault, quirks: knownQuirks,
        wanted: names.map((name) => ({ name, registers: fields[name] ?? {} })), ...change(over),
      },
    })));
  });
}

function surveyOf(file: string, role: SriovRole): Survey {
  const [capture] = readCaptures(join(samplesFolder, file));
  if (!capture) throw new Error(`${file} has no function`);
  return survey(capture.space, role);
}
