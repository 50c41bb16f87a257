import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { writeLspciText } from '@cadastre/config-space';
import {
  baseline, compareLayouts, explainVerdict, knownQuirks, migrationVerdict, writeLayoutDocument,
} from '@cadastre/device-layout';
import { GetModelEvidence, PlanLayout } from '@cadastre/ledger';
import { type DeviceKey } from '@cadastre/lifecycle';
import { vmmAbilities } from '@cadastre/vmm-profiles';
import { placementView } from '../devices/device-view.js';
import { wishOf } from '../devices/layout-wish.js';
import { parse } from '../http/parse-name.js';
import { EdgeProblem } from '../problems/edge-problem.js';
import { found, Refused } from '../problems/refused.js';
import { givenProfile } from '../vmm-profiles/given-profile.js';
import { givenFunction, givenLayout } from './given-function.js';
import { BaselineDto, CompareLayoutsDto, PlanLayoutDto, VerdictDto } from './layouts.dto.js';
import { broughtCaptures, plannedOver } from './planned-over.js';

/** Questions about layouts: nothing is recorded, so nothing needs an idempotency key. */
@Controller('v1')
export class LayoutsController {
  constructor(private readonly queries: QueryBus) {}

  /** What an attach would decide, told of what it would refuse too. */
  @Post('layouts/plan')
  @HttpCode(200)
  async plan(@Body() body: PlanLayoutDto): Promise<object> {
    const { over, assumed } = plannedOver(body);
    const { address } = over.kind === 'registered' ? over.key : over.function.key;
    const query = new PlanLayout(over, wishOf(body), deviceIn(body), await broughtCaptures(body, this.queries));
    const { fits: { layout, refused }, document } = found(await this.queries.execute(query));
    return {
      placements: layout?.placements.map(placementView) ?? [],
      refusals: refused.map(({ name, refusal, explanation }) => ({ ...refusal, name, explanation })),
      layoutDigest: layout?.layoutDigest ?? null,
      layout: document && parsed(writeLayoutDocument(document)),
      guestConfigSpace: layout && document && {
        digest: layout.guestConfigSpaceDigest,
        lspci: writeLspciText([{ address, title: 'guest view', space: document.space }]),
      },
      grants: layout?.grants ?? [], reserved: layout?.reserved ?? [], vmm: layout?.vmm ?? null, assumed,
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
    const { survey, role, physicalFunction, iommu } = await givenFunction(body, this.queries);
    const evidence = await this.queries.execute(new GetModelEvidence(survey.space, role));
    const vmm = vmmAbilities(givenProfile(body.vmm ?? 'generic'));
    const verdict = migrationVerdict(layout, {
      survey, iommu, vmm, physicalFunction: physicalFunction?.survey ?? null, quirks: knownQuirks, evidence });
    return { vmm: vmm.profile, revision: vmm.revision, ...verdict, explanation: explainVerdict(verdict) };
  }

  @Post('personas/baseline')
  @HttpCode(200)
  async baseline(@Body() { functions, relocations }: BaselineDto): Promise<object> {
    const given = await Promise.all(functions.map((one, index) =>
      givenFunction(one, this.queries, `/functions/${index}`)));
    const shared = baseline(given, { relocations: relocations ?? true });
    if (!shared.ok) throw new Refused({ kind: 'no-baseline', because: shared.refusal });
    const { layout, ...report } = shared.value;
    return { layout: parsed(writeLayoutDocument(layout)), ...report };
  }
}

/** The device a plan is for; null where it is for none. */
function deviceIn({ vm, device }: PlanLayoutDto): DeviceKey | null {
  if (vm == null && device == null) return null;
  if (vm != null && device != null) return { vm: parse.vm(vm), device: parse.device(device) };
  throw EdgeProblem.field(vm == null ? '/vm' : '/device', null, 'vm and device, or neither', 'which device is meant');
}

function parsed(canonical: string): unknown {
  return JSON.parse(canonical);
}
