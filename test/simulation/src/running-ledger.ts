import { LedgerModule } from '@cadastre/ledger';
import { Views } from '@cadastre/views';
import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Command, CommandBus, type Query, QueryBus } from '@nestjs/cqrs';
import { type Home } from './home.js';
import { LosingStore } from './losing-store.js';

/** One process of a ledger: the handlers that clients reach, over a store. */
export class RunningLedger {
  private constructor(
    readonly store: LosingStore, readonly views: Views, private readonly app: INestApplicationContext,
  ) {}

  static async start(home: Home): Promise<RunningLedger> {
    const store = new LosingStore(await home.open());
    const views = await Views.open(store, home.views, (line) => {
      throw new Error(line);
    });
    const module = LedgerModule.register({ store, clock: home.clock, views });
    return new RunningLedger(store, views, await NestFactory.createApplicationContext(module, { logger: false }));
  }

  execute<Answer>(command: Command<Answer>): Promise<Answer> {
    return this.app.get(CommandBus).execute(command);
  }

  ask<Answer>(query: Query<Answer>): Promise<Answer> {
    return this.app.get(QueryBus).execute(query);
  }

  /** The position of the last event. */
  async head(): Promise<number | 'empty'> {
    return (await this.store.readAll({ limit: 1 })).head;
  }

  async stop(): Promise<void> {
    await this.views.close();
    await this.app.close();
    await this.store.close();
  }
}
