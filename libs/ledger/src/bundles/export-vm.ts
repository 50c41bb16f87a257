import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type EventStore, type Position, type RecordedEvent, StreamName, StreamRevision } from '@cadastre/event-store';
import {
  BundleChain, bundleBytesMax, bundleFormat, type BundleLine, type DecidedLayout, decodeEvent, deviceDecider,
  type DeviceKey, type DeviceState, deviceStream, fold, isDeviceEvent, isSamePersona, layoutLine, type Needed, neededBy,
  personaBrought, type PersonaReference, publishedAt, type VmId,
} from '@cadastre/lifecycle';
import { Views } from '@cadastre/views';
import { DamagedHistory } from '../damaged-history.js';
import { devicesEver, unknownVm } from '../devices/devices-ever.js';
import { EVENT_STORE } from '../event-store.token.js';
import { type Refusal } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';

export type ExportOutcome =
  /** Lines of a bundle that can be written, read from the log while they are taken; a store that fails ends them. */
  | { readonly kind: 'found'; readonly lines: AsyncIterable<string> }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Writes all that is recorded of a VM's devices into one file another ledger can check and import. */
export class ExportVm extends Query<ExportOutcome> {
  constructor(
    readonly vm: VmId, readonly at: Position | null,
    /** What is larger could not be imported. */
    readonly bytesMax: number = bundleBytesMax,
  ) {
    super();
  }
}

@QueryHandler(ExportVm)
export class ExportVmHandler implements IQueryHandler<ExportVm> {
  constructor(
    @Inject(EVENT_STORE) private readonly store: EventStore, private readonly reader: StreamReader,
    private readonly views: Views,
  ) {}

  async execute({ vm, at, bytesMax }: ExportVm): Promise<ExportOutcome> {
    const unknown = await unknownVm(this.views, vm, at);
    if (unknown) return unknown;
    const { head } = await this.store.readAll({ limit: 1 });
    if (head === 'empty') throw new DamagedHistory(`device-${vm}`, 'it is in no log');
    const position = at ?? head;
    const ever = await devicesEver(this.views, vm, position);
    if (ever.kind === 'refused') return ever;
    const keys = ever.devices.map(({ key }) => key);
    // What is damaged or too large is found before anything is sent. Events never change: what is written again is the
    // same.
    let sizeBytes = 0;
    for await (const line of this.write(vm, keys, position)) {
      sizeBytes += Buffer.byteLength(line);
      if (sizeBytes > bytesMax) {
        return { kind: 'refused', refusal: { kind: 'bundle-too-large', vm, position, mostBytes: bytesMax } };
      }
    }
    return { kind: 'found', lines: this.write(vm, keys, position) };
  }

  private async* write(vm: VmId, devices: readonly DeviceKey[], position: Position): AsyncGenerator<string> {
    const chain = new BundleChain();
    const told = { events: 0, layouts: 0 };
    const line = (one: BundleLine): string => {
      if (one.line === 'event') told.events += 1;
      if (one.line === 'layout') told.layouts += 1;
      return `${chain.write(one)}\n`;
    };
    yield line({ line: 'bundle', format: bundleFormat, vm, position });
    const written = new Set<string>();
    for (const key of devices) {
      for await (const one of this.linesOf(key, position, written)) yield line(one);
    }
    yield line({ line: 'end', ...told, devices: devices.length });
  }

  private async* linesOf(key: DeviceKey, upTo: Position, written: Set<string>): AsyncGenerator<BundleLine> {
    const stream = deviceStream(key);
    let state: DeviceState = deviceDecider.initial;
    let brought: PersonaReference | null = null;
    let revision = -1;
    for await (const recorded of this.eventsOf(stream, upTo)) {
      const { event } = decodeEvent(recorded.data);
      if (!isDeviceEvent(event)) throw new DamagedHistory(stream, `it holds ${event.type}`);
      for (const needed of neededBy(event)) yield* this.neededLines(needed, written);
      if (event.type === 'LayoutDecided') yield* this.personaLines(event, recorded, brought, written);
      brought = personaBrought(event, brought);
      yield eventLine(recorded);
      state = fold(deviceDecider, [event], state);
      ({ revision } = recorded);
      if (event.type === 'LayoutImported') yield layoutLine(recorded, event.layout, event.observed, event.plugins);
      if (event.type !== 'LayoutDecided' || state.kind !== 'attached' || !state.layout) continue;
      yield layoutLine(recorded, state.layout, await this.reader.observation(event.observation), []);
    }
    if (state.kind === 'unknown') throw new DamagedHistory(stream, 'it has no events');
    yield { line: 'device', stream, revision, state: state.kind };
  }

  /** An event that a layout stands on, behind the one that holds its bytes when that is another; each once. */
  private async* neededLines(needed: Needed, written: Set<string>): AsyncGenerator<BundleLine> {
    if (written.has(nameOf(needed))) return;
    written.add(nameOf(needed));
    const recorded = await this.recordedAt(needed);
    if (!recorded) throw new DamagedHistory(needed.stream, `it has no revision ${needed.revision}`);
    const { event } = decodeEvent(recorded.data);
    if (event.type === 'HostFactsObserved') {
      yield* this.neededLines({ stream: needed.stream, revision: event.configSpaceRevision }, written);
    }
    yield eventLine(recorded);
  }

  /**
   * The persona a layout wears, as it was published here before the layout was decided. Where it was not, an import
   * brought the device with it, and the bundle of then had it.
   */
  private async* personaLines(
    { persona }: DecidedLayout, { stream, position }: RecordedEvent, brought: PersonaReference | null,
    written: Set<string>,
  ): AsyncGenerator<BundleLine> {
    if (!persona) return;
    const place = publishedAt(persona);
    const recorded = await this.recordedAt(place);
    const event = recorded && recorded.position < position ? decodeEvent(recorded.data).event : undefined;
    if (event?.type === 'PersonaPublished' && isSamePersona(event, persona)) {
      yield* this.neededLines(place, written);
      return;
    }
    if (isSamePersona(persona, brought)) return;
    throw new DamagedHistory(stream, `nobody published the persona it wears: ${nameOf(place)}`);
  }

  private async* eventsOf(stream: string, upTo: Position): AsyncGenerator<RecordedEvent> {
    let next = 0;
    for (;;) {
      const page = await this.store.readStream(StreamName.from(stream), { from: StreamRevision.from(next) });
      for (const recorded of page.events) {
        if (recorded.position > upTo) return;
        yield recorded;
      }
      if (page.endOfStream) return;
      next += page.events.length;
      // Others are answered in between: a store may read without ever waiting.
      await nextTurn();
    }
  }

  private async recordedAt({ stream, revision }: Needed): Promise<RecordedEvent | undefined> {
    const from = StreamRevision.from(revision);
    const [recorded] = (await this.store.readStream(StreamName.from(stream), { from, limit: 1 })).events;
    return recorded;
  }
}

function nameOf({ stream, revision }: Needed): string {
  return `${stream}@${revision}`;
}

function eventLine({ position, stream, revision, id, type, sha256, data }: RecordedEvent): BundleLine {
  return { line: 'event', position, stream, revision, id, type, sha256, data };
}
