import { type DynamicModule, Module } from '@nestjs/common';
import { LedgerModule, type LedgerOptions } from '@cadastre/ledger';
import { BundlesController } from './bundles/bundles.controller.js';
import { DevicesController } from './devices/devices.controller.js';
import { EventsController } from './events/events.controller.js';
import { HistoryController } from './events/history.controller.js';
import { FunctionsController } from './functions/functions.controller.js';
import { HealthController } from './health/health.controller.js';
import { LayoutsController } from './layouts/layouts.controller.js';
import { ListsController } from './lists/lists.controller.js';
import { MigrationsController } from './migrations/migrations.controller.js';
import { PasidsController } from './pasids/pasids.controller.js';
import { PersonasController } from './personas/personas.controller.js';
import { ProblemsController } from './problems/problems.controller.js';
import { VmmProfilesController } from './vmm-profiles/vmm-profiles.controller.js';
import { VmsController } from './vms/vms.controller.js';

/** The HTTP edge over one ledger. */
@Module({})
export class ServerModule {
  static register(options: LedgerOptions): DynamicModule {
    return {
      module: ServerModule,
      imports: [LedgerModule.register(options)],
      controllers: [
        FunctionsController, DevicesController, PasidsController, ListsController, LayoutsController,
        VmmProfilesController, PersonasController, EventsController, HistoryController, VmsController,
        MigrationsController, BundlesController,
        HealthController, ProblemsController,
      ],
    };
  }
}
