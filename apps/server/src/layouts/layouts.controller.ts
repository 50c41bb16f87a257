import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type Survey, writeLspciText } from '@cadastre/config-space';
import {
  baseline, compareLayouts, defaultRegisters, Evidence, explainVerdict, type IommuFacts, knownQuirks, layoutDocument,
  migrationVerdict, type PersonaPlaces, personaPlaces, type PhysicalFunction, planWhatFits, readPlanPolicy,
  type WantedCapability, writeLayoutDocument,
} from '@cadastre/device-layout';
import { GetPersona } from '@cadastre/ledger';
import { vmmAbilities } from '@cadastre/vmm-profiles';
import { type CapabilityRequest, grantCapability, personaOf, wantedBy } from '@cadastre/lifecycle';
import { placementView } from '../devices/device-view.js';
import { requested } from '../devices/layout-wish.js';
import { parse } from '../http/parse-name.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { found, Refused } from '../problems/refused.js';
import { givenProfile } from '../vmm-profiles/given-profile.js';
import { givenFunction, givenLayout } from './given-function.js';
import { BaselineDto, CompareLayoutsDto, PlanLayoutDto, VerdictDto } from './layouts.dto.js';

/** Questions about layouts: nothing is recorded, so nothing needs an idempotency key. */
@Controller('v1')
export class LayoutsController {
  constructor(private readonly queries: QueryBus) {}

  /** What an attach would decide, told of what has no place too. */
  @Post('layouts/plan')
  @HttpCode(200)
  async plan(@Body() body: PlanLayoutDto): Promise<object> {
    const { survey, physicalFunction, iommu } = await givenFunction(body, this.queries);
    const policy = readPlanPolicy(body.policy ?? undefined, body.capabilities.map(({ name }) => name));
    if (!policy.ok) {
      throw EdgeProblem.field(`/policy${policy.refusal.pointer}`, null, policy.refusal.problem, 'not a policy');
    }
    const captures = await Promise.all((body.evidence ?? []).map((one, index) =>
      givenFunction(one, this.queries, `/evidence/${index}`)));
    const facts = iommu ?? { maxPasidLog2: 20, exec: false, priv: false, atsSupported: true };
    const persona = body.persona ? await this.placesOf(body.persona) : undefined;
    const { planned, notPlaced } = planWhatFits({
      survey, physicalFunction, ...policy.value, quirks: knownQuirks,
      wanted: body.capabilities.map((one, index) => {
        // A name alone asks where it would go; more than that is what an attach would be granted.
        if (Object.keys(one).length > 1) return granted(requested(one, index), facts, survey, physicalFunction);
        return { name: one.name, registers: defaultRegisters(one.name, survey, physicalFunction, facts) };
      }),
      ...(captures.length > 0 ? { evidence: Evidence.of(captures) } : {}),
      ...(persona ? { persona } : {}),
    });
    const layout = planned && layoutDocument(survey, planned.layout, planned.guestConfigSpace);
    return {
      placements: planned?.layout.placements.map(placementView) ?? [],
      refusals: notPlaced.map(({ name, refusal, explanation }) => ({ ...refusal, name, explanation })),
      layoutDigest: planned?.layoutDigest ?? null,
      layout: layout && parsed(writeLayoutDocument(layout)),
      guestConfigSpace: planned && {
        digest: planned.guestConfigSpaceDigest,
        lspci: writeLspciText([{ address: parse.address('0000:00:00.0'), title: 'guest view',
          space: planned.guestConfigSpace }]),
      },
    };
  }

  @Post('layouts/compare')
  @HttpCode(200)
  compare(@Body() { a, b }: CompareLayoutsDto): object {
    const differences = compareLayouts(givenLayout(a, '/a'), givenLayout(b, '/b'));
    return { same: differences.length === 0, differences };
  }

  @Post('layouts/verdict')
  @HttpCode(200)
  async verdict(@Body() body: VerdictDto): Promise<object> {
    const layout = givenLayout(body.layout, '/layout');
    const { survey, physicalFunction, iommu } = await givenFunction(body, this.queries);
    const vmm = vmmAbilities(givenProfile(body.vmm ?? 'generic'));
    const verdict = migrationVerdict(layout, {
      survey, iommu, vmm, physicalFunction: physicalFunction?.survey ?? null });
    return { vmm: vmm.profile, revision: vmm.revision, ...verdict, explanation: explainVerdict(verdict) };
  }

  @Post('personas/baseline')
  @HttpCode(200)
  async baseline(@Body() { functions }: BaselineDto): Promise<object> {
    const given = await Promise.all(functions.map((one, index) =>
      givenFunction(one, this.queries, `/functions/${index}`)));
    const shared = baseline(given);
    if (!shared.ok) throw new Refused({ kind: 'no-baseline', because: shared.refusal });
    const { layout, dropped, narrowed, replaced } = shared.value;
    return { layout: parsed(writeLayoutDocument(layout)), dropped, narrowed, replaced };
  }

  private async placesOf(name: string): Promise<PersonaPlaces> {
    const { view } = found(await this.queries.execute(new GetPersona(parse.persona(name, '/persona'))));
    const newest = view.versions.at(-1);
    if (!newest) throw new Error(`persona ${name} is published and has no version`);
    return personaPlaces(personaOf(view.name, newest));
  }
}

function granted(
  request: CapabilityRequest, iommu: IommuFacts, over: Survey, family: PhysicalFunction | null,
): WantedCapability {
  const grant = grantCapability(request, iommu, over, family);
  if (!grant.ok) throw new Refused(grant.refusal);
  return wantedBy(grant.value);
}

function parsed(canonical: string): unknown {
  return JSON.parse(canonical);
}
