import { Controller, Get, Inject } from '@nestjs/common';
import { type EventStore } from '@cadastre/event-store';
import { EVENT_STORE } from '@cadastre/ledger';
import { Views } from '@cadastre/views';
import { EdgeProblem } from '../problems/edge-problem.js';

@Controller()
export class HealthController {
  constructor(@Inject(EVENT_STORE) private readonly store: EventStore, private readonly views: Views) {}

  /** Where a person who opens the bare address finds their way. */
  @Get()
  index(): object {
    return {
      name: 'cadastre',
      links: [
        '/v1/functions', '/v1/devices', '/v1/vms', '/v1/audit/clashes', '/v1/events', '/healthz', '/readyz',
      ],
    };
  }

  /** The process runs. */
  @Get('healthz')
  health(): object {
    return { status: 'ok' };
  }

  /** The ledger takes writes. Lists that stand still make it `degraded`: all else goes on. */
  @Get('readyz')
  async ready(): Promise<object> {
    const health = await this.store.check();
    if (!health.writable) throw new EdgeProblem('not-ready', health.reason);
    const halted = this.views.halted();
    return halted.length === 0 ? { status: 'ready' } : { status: 'degraded', halted };
  }
}
