import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { type EventStore } from '@cadastre/event-store';
import { type Clock } from './clock.js';
import { AttachDeviceHandler } from './devices/attach-device.js';
import { DecideLayoutHandler } from './devices/decide-layout.js';
import { DetachDeviceHandler } from './devices/detach-device.js';
import { GetDeviceHandler } from './devices/get-device.js';
import { GetGuestConfigSpaceHandler } from './devices/get-guest-config-space.js';
import { ObserveGuestHandler } from './devices/observe-guest.js';
import { ReplayVmHandler } from './devices/replay-vm.js';
import { VmIndex } from './devices/vm-index.js';
import { EVENT_STORE } from './event-store.token.js';
import { FindMomentHandler } from './events/find-moment.js';
import { ReadEventsHandler } from './events/read-events.js';
import { ReadHistoryHandler } from './events/read-history.js';
import { FunctionIndex } from './functions/function-index.js';
import { GetFamilyHandler } from './functions/get-family.js';
import { GetFunctionHandler } from './functions/get-function.js';
import { ListFunctionsHandler } from './functions/list-functions.js';
import { ModelEvidence } from './functions/model-evidence.js';
import { ObserveFunctionHandler } from './functions/observe-function.js';
import { ChangePasidsHandler } from './pasids/change-pasids.js';
import { CheckPasidHandler } from './pasids/check-pasid.js';
import { ListPasidsHandler } from './pasids/list-pasids.js';
import { RetireFunctionHandler } from './functions/retire-function.js';
import { AdvanceMigrationHandler } from './migrations/advance-migration.js';
import { GetMigrationHandler } from './migrations/get-migration.js';
import { ListMigrationsHandler } from './migrations/list-migrations.js';
import { MigrationIndex } from './migrations/migration-index.js';
import { PlanMigrationHandler } from './migrations/plan-migration.js';
import { GetPersonaHandler } from './personas/get-persona.js';
import { PublishPersonaHandler } from './personas/publish-persona.js';
import { Recorder } from './recorder.js';
import { StreamReader } from './stream-reader.js';
import { Timeline } from './timeline.js';

export interface LedgerOptions {
  readonly store: EventStore;
  readonly clock: Clock;
}

/** Where the core and a store meet: commands and queries go through the buses it exports. */
@Module({})
export class LedgerModule {
  static register({ store, clock }: LedgerOptions): DynamicModule {
    return {
      module: LedgerModule,
      imports: [CqrsModule.forRoot()],
      providers: [
        { provide: EVENT_STORE, useValue: store },
        { provide: Recorder, useFactory: () => Recorder.open(store, clock) },
        { provide: StreamReader, useFactory: () => new StreamReader(store) },
        { provide: ModelEvidence, useFactory: () => new ModelEvidence(store) },
        { provide: FunctionIndex, useFactory: () => new FunctionIndex(store) },
        { provide: VmIndex, useFactory: () => new VmIndex(store) },
        { provide: MigrationIndex, useFactory: () => new MigrationIndex(store) },
        { provide: Timeline, useFactory: () => new Timeline(store, clock) },
        ObserveFunctionHandler, RetireFunctionHandler, GetFamilyHandler,
        ChangePasidsHandler, ListPasidsHandler, CheckPasidHandler,
        AttachDeviceHandler, DecideLayoutHandler, ObserveGuestHandler, DetachDeviceHandler,
        GetFunctionHandler, ListFunctionsHandler, GetDeviceHandler, GetGuestConfigSpaceHandler, ReadEventsHandler,
        PlanMigrationHandler, AdvanceMigrationHandler, GetMigrationHandler, ListMigrationsHandler,
        PublishPersonaHandler, GetPersonaHandler, FindMomentHandler, ReadHistoryHandler, ReplayVmHandler,
      ],
      exports: [CqrsModule, EVENT_STORE],
    };
  }
}
