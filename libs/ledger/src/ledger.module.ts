import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { type EventStore } from '@cadastre/event-store';
import { Views } from '@cadastre/views';
import { ExportVmHandler } from './bundles/export-vm.js';
import { GetImportHandler } from './bundles/get-import.js';
import { ImportBundleHandler } from './bundles/import-bundle.js';
import { type Clock } from './clock.js';
import { AttachDeviceHandler } from './devices/attach-device.js';
import { DecideLayoutHandler } from './devices/decide-layout.js';
import { DetachDeviceHandler } from './devices/detach-device.js';
import { GetDeviceHandler } from './devices/get-device.js';
import { GetGuestConfigSpaceHandler } from './devices/get-guest-config-space.js';
import { GetLayoutHandler } from './devices/get-layout.js';
import { ObserveGuestHandler } from './devices/observe-guest.js';
import { PlanLayoutHandler } from './devices/plan-layout.js';
import { ReplayVmHandler } from './devices/replay-vm.js';
import { EVENT_STORE } from './event-store.token.js';
import { FindMomentHandler } from './events/find-moment.js';
import { ReadEventsHandler } from './events/read-events.js';
import { ReadHistoryHandler } from './events/read-history.js';
import { GetFamilyHandler } from './functions/get-family.js';
import { GetModelEvidenceHandler } from './functions/get-model-evidence.js';
import { GetFunctionHandler } from './functions/get-function.js';
import { ModelEvidence } from './functions/model-evidence.js';
import { ObserveFunctionHandler } from './functions/observe-function.js';
import { RetireFunctionHandler } from './functions/retire-function.js';
import { ListClashesHandler } from './lists/list-clashes.js';
import { ListDevicesHandler } from './lists/list-devices.js';
import { ListFunctionsHandler } from './lists/list-functions.js';
import { ListVmsHandler } from './lists/list-vms.js';
import { ChangePasidsHandler } from './pasids/change-pasids.js';
import { CheckPasidHandler } from './pasids/check-pasid.js';
import { ListPasidsHandler } from './pasids/list-pasids.js';
import { AdvanceMigrationHandler } from './migrations/advance-migration.js';
import { GetMigrationHandler } from './migrations/get-migration.js';
import { ListMigrationsHandler, ListVmMigrationsHandler } from './migrations/list-migrations.js';
import { PlanMigrationHandler } from './migrations/plan-migration.js';
import { GetPersonaHandler } from './personas/get-persona.js';
import { PublishPersonaHandler } from './personas/publish-persona.js';
import { Recorder } from './recorder.js';
import { StreamReader } from './stream-reader.js';
import { Timeline } from './timeline.js';

export interface LedgerOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  /** The lists of this store. */
  readonly views: Views;
}

/** Where the core and a store meet: commands and queries go through the buses it exports. */
@Module({})
export class LedgerModule {
  static register({ store, clock, views }: LedgerOptions): DynamicModule {
    return {
      module: LedgerModule,
      imports: [CqrsModule.forRoot()],
      providers: [
        { provide: EVENT_STORE, useValue: store },
        { provide: Recorder, useFactory: () => Recorder.open(store, clock) },
        { provide: StreamReader, useFactory: () => new StreamReader(store, views.states) },
        { provide: ModelEvidence, useFactory: () => new ModelEvidence(store, views) },
        { provide: Timeline, useFactory: () => new Timeline(store, clock) },
        { provide: Views, useValue: views },
        ObserveFunctionHandler, RetireFunctionHandler, GetFamilyHandler, GetModelEvidenceHandler,
        ChangePasidsHandler, ListPasidsHandler, CheckPasidHandler,
        AttachDeviceHandler, DecideLayoutHandler, ObserveGuestHandler, DetachDeviceHandler,
        GetFunctionHandler, GetDeviceHandler, GetGuestConfigSpaceHandler, ReadEventsHandler,
        PlanLayoutHandler, GetLayoutHandler,
        PlanMigrationHandler, AdvanceMigrationHandler, GetMigrationHandler,
        ListMigrationsHandler, ListVmMigrationsHandler,
        ExportVmHandler, ImportBundleHandler, GetImportHandler,
        PublishPersonaHandler, GetPersonaHandler, FindMomentHandler, ReadHistoryHandler, ReplayVmHandler,
        ListFunctionsHandler, ListDevicesHandler, ListVmsHandler, ListClashesHandler,
      ],
      exports: [CqrsModule, EVENT_STORE, Views],
    };
  }
}
