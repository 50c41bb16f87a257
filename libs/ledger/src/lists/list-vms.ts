import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { type VmRow, Views } from '@cadastre/views';
import { devicesEver } from '../devices/devices-ever.js';
import { StreamReader } from '../stream-reader.js';
import { answered, type ListOutcome, scannedMax } from './list-outcome.js';

/** A page of all VMs that have or had devices, now or as of a position, in order of their names, behind `after`. */
export class ListVms extends Query<ListOutcome<VmRow>> {
  constructor(readonly after: string, readonly limit: number, readonly at: Position | null = null) {
    super();
  }
}

@QueryHandler(ListVms)
export class ListVmsHandler implements IQueryHandler<ListVms> {
  constructor(private readonly views: Views, private readonly reader: StreamReader) {}

  execute({ after, limit, at }: ListVms): Promise<ListOutcome<VmRow>> {
    if (at === null) return answered(this.views.vms(after, limit), ({ vm }) => vm);
    return this.past(after, limit, at);
  }

  /** Every device of a VM is folded, so a page ends early when it has looked at many. */
  private async past(after: string, limit: number, at: Position): Promise<ListOutcome<VmRow>> {
    const listed = await answered(this.views.vms(after, limit, at), ({ vm }) => vm);
    if (listed.kind === 'refused') return listed;
    const rows: VmRow[] = [];
    let looked = 0;
    for (const { vm } of listed.rows) {
      if (looked >= scannedMax) return { kind: 'found', rows, next: rows.at(-1)?.vm ?? null };
      const ever = await devicesEver(this.views, vm, at);
      if (ever.kind === 'refused') return ever;
      let attached = 0;
      for (const { key } of ever.devices) {
        const { state } = await this.reader.device(key, { position: at });
        if (state.kind === 'attached') attached += 1;
      }
      looked += ever.devices.length;
      rows.push({ vm, devices: ever.devices.length, attached });
    }
    return { ...listed, rows };
  }
}
