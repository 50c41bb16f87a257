import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type DeviceReplay, ReplayVm } from '@cadastre/ledger';
import { type FastifyReply } from 'fastify';
import { asOf } from '../http/as-of.js';
import { ListPage } from '../http/list-page.js';
import { parse } from '../http/parse-name.js';
import { QueryParameters } from '../http/query-parameters.js';
import { Refused } from '../problems/refused.js';

@Controller('v1/vms/:vm')
export class VmsController {
  constructor(private readonly queries: QueryBus) {}

  /** Every layout of the VM, rebuilt from its events alone, beside what was recorded. */
  @Get('replay')
  @QueryParameters('at', 'after', 'limit')
  async replay(
    @Param('vm') given: string, @Query() query: Record<string, unknown>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const vm = parse.vm(given);
    const at = await asOf(query['at'], this.queries, reply);
    const page = ListPage.at(at, `/v1/vms/${vm}/replay`, query);
    const replayed = await this.queries.execute(new ReplayVm(vm, page.after(), page.limit, at));
    if (replayed.kind === 'refused') throw new Refused(replayed.refusal);
    const devices = replayed.devices.map(deviceReplayView);
    const next = page.next(reply, replayed.more ? replayed.devices.at(-1)?.key.device ?? null : null);
    return { vm, equal: devices.every(({ equal }) => equal), devices, next };
  }
}

function deviceReplayView({ key, state, revision, recorded, rebuilt, problem }: DeviceReplay): { equal: boolean } {
  const view = { device: key.device, state, revision, recorded, rebuilt, problem };
  return { ...view, equal: rebuilt !== null };
}
