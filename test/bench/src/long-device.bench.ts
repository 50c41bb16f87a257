import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConfigSpace } from '@cadastre/config-space';
import { Digest } from '@cadastre/device-layout';
import { EventId, type ExpectedRevision, Position, StreamName } from '@cadastre/event-store';
import { SqliteEventStore } from '@cadastre/event-store-sqlite';
import { StreamReader } from '@cadastre/ledger';
import { DeviceId, type DeviceKey, deviceStream, encodeEvent, type LedgerEvent, VmId } from '@cadastre/lifecycle';
import { viewFileName, Views } from '@cadastre/views';
import { median, percentile } from './measure.js';
import { attached, attachedTo } from './pasids.bench.js';

export interface LongDeviceFigures {
  /** What a command reads of its device: the state is kept, and one event came since. */
  readonly shortMicros: number;
  readonly longMicros: number;
  readonly pasids: number;
  /** The first read of a device with so many PASIDs after a start, with states in the file and without. */
  readonly coldMillis: number;
  readonly wholeMillis: number;
  readonly pastP50Millis: number;
  readonly pastP99Millis: number;
  /** Bytes of the file of states by those of the log. */
  readonly keptShare: number;
}

const pasids = 100_000;
const commands = 400;
const pastReads = 100;

/** Devices with long streams, through the reader every command reads by, over a ledger in files. */
export async function benchLongDevices(space: ConfigSpace): Promise<LongDeviceFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'cadastre-bench-'));
  const store = await SqliteEventStore.open(directory);
  const views = Views.anew(store, join(directory, viewFileName));
  const writer = new Writer(store, space);
  const reader = new StreamReader(store, views.states);
  const shortMicros = await perCommand(writer, reader, 'short', 3);
  const longMicros = await perCommand(writer, reader, 'long', 1_000);
  const key = writer.key('huge');
  await writer.upTo(key, pasids);
  await new StreamReader(store, views.states).device(key);
  const coldMillis = median(await times(9, () => new StreamReader(store, views.states).device(key)));
  const wholeMillis = median(await times(1, () => new StreamReader(store).device(key)));
  const first = Number(await reader.begunAt(deviceStream(key)));
  const past = await times(pastReads, (index) =>
    reader.device(key, { position: Position.from(first + (index * 7_919) % pasids) }));
  await views.close();
  await store.close();
  const keptShare = statSync(join(directory, viewFileName)).size / statSync(join(directory, 'ledger.db')).size;
  rmSync(directory, { recursive: true });
  const [pastP50Millis, pastP99Millis] = [percentile(past, 0.5), percentile(past, 0.99)];
  return { shortMicros, longMicros, pasids, coldMillis, wholeMillis, pastP50Millis, pastP99Millis, keptShare };
}

/** Microseconds to read a device that has so many events and, since it was last read, one more. */
async function perCommand(writer: Writer, reader: StreamReader, vm: string, events: number): Promise<number> {
  const taken: number[] = [];
  for (let command = 0; command < commands; command += 1) {
    const key = writer.key(`${vm}-${events > 3 ? 0 : command}`);
    await writer.upTo(key, Math.max(events, writer.lengthOf(key)) - 1);
    await reader.device(key);
    await writer.upTo(key, writer.lengthOf(key) + 1);
    const start = performance.now();
    await reader.device(key);
    taken.push((performance.now() - start) * 1_000);
  }
  return median(taken);
}

async function times(count: number, ask: (index: number) => Promise<unknown>): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = performance.now();
    await ask(index);
    taken.push(performance.now() - start);
  }
  return taken;
}

/** Writes streams of devices: an attach, then one PASID after the other. */
class Writer {
  private readonly revisions = new Map<string, ExpectedRevision>();
  private written = 0;

  constructor(private readonly store: SqliteEventStore, private readonly space: ConfigSpace) {}

  key(name: string): DeviceKey {
    const [vm, device] = [VmId.from(name), DeviceId.from('d')];
    if (!vm.ok || !device.ok) throw new Error(`${name} is no name`);
    return { vm: vm.value, device: device.value };
  }

  lengthOf(key: DeviceKey): number {
    const revision = this.revisions.get(deviceStream(key));
    return revision === undefined || revision === 'no-stream' ? 0 : revision + 1;
  }

  async upTo(key: DeviceKey, length: number): Promise<void> {
    const stream = StreamName.from(deviceStream(key));
    while (this.lengthOf(key) < length) {
      const from = this.lengthOf(key);
      const events = from === 0 ? attachedTo(this.space, key)
        : Array.from({ length: Math.min(1_000, length - from) }, (_, index) => attached(from + index));
      const outcome = await this.store.append([{
        stream, expectedRevision: this.revisions.get(stream) ?? 'no-stream',
        events: events.map((one) => this.encoded(one)),
      }]);
      if (outcome.kind !== 'appended') throw new Error(`an append of the benchmark was answered ${outcome.kind}`);
      const revision = outcome.revisions.get(stream);
      if (revision !== undefined) this.revisions.set(stream, revision);
    }
  }

  private encoded(event: LedgerEvent): { id: EventId; type: string; data: string } {
    this.written += 1;
    const idempotencyKey = `request-${this.written}`;
    const envelope = {
      idempotencyKey, requestDigest: Digest.of(idempotencyKey), recordedAt: '2026-11-23T17:00:00.000Z',
    };
    return { id: EventId.derive(idempotencyKey, 0), type: event.type, data: encodeEvent({ event, envelope }) };
  }
}
