import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EventStore, type RecordedEvent } from '@cadastre/event-store';
import { SqliteEventStore } from '../src/index.js';
import { children } from './child-process.js';
import { eventsPerStep, knownWork } from './known-work.js';
import { scratch, wholeLog } from './scratch.js';

const directoryOf = scratch();
const startChild = children();

interface Claim {
  readonly writer: string;
  readonly step: number;
  readonly position: number;
}

/** What a child said of one kind, for example that it was `acked`. */
function claims(lines: readonly string[], kind: 'acked' | 'unknown'): readonly Claim[] {
  return lines.filter((line) => line.startsWith(kind)).map((line) => {
    const [, writer = '', step, position] = line.split(' ');
    return { writer, step: Number(step), position: Number(position) };
  });
}

/** The steps that are stored; fails the test when one is there in part, or with other bytes than its writer wrote. */
function storedSteps(log: readonly RecordedEvent[]): ReadonlyMap<string, Claim> {
  const steps = new Map<string, Claim>();
  for (let position = 0; position < log.length; position += eventsPerStep) {
    const events = log.slice(position, position + eventsPerStep);
    const writer = events[0]?.stream.slice('device-'.length) ?? '';
    const step = (events[0]?.revision ?? 0) / 2;
    const due = knownWork(writer, step).flatMap(({ stream, events: those }) => those.map((it) => ({ stream, ...it })));
    const differing = due.filter(({ stream, id, data }, index) => {
      const there = events[index];
      return there?.stream !== stream || there.id !== id || there.data !== data;
    });
    expect(differing).toEqual([]);
    steps.set(`${writer} ${step}`, { writer, step, position: position + eventsPerStep - 1 });
  }
  return steps;
}

/** The system calls of a trace in the order in which they returned. */
function completedCalls(trace: string): readonly string[] {
  const begun = new Map<string, string>();
  return readFileSync(trace, 'utf8').split('\n').flatMap((line) => {
    const [, thread = '', call = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    // While one thread waits in a call, strace shows those of others, and says of the first: unfinished, resumed.
    const [, resumed] = /^<\.\.\. \w+ resumed>(.*)$/.exec(call) ?? [];
    if (resumed !== undefined) return [`${begun.get(thread) ?? ''}${resumed}`];
    const [, unfinished] = /^(.*) <unfinished \.\.\.>$/.exec(call) ?? [];
    if (unfinished === undefined) return [call];
    begun.set(thread, unfinished);
    return [];
  });
}

/** Everything that was acknowledged is there, where it was said to be; says what is stored. */
async function expectKept(store: EventStore, acked: readonly Claim[]): Promise<ReadonlyMap<string, Claim>> {
  const stored = storedSteps(await wholeLog(store));
  const lost = acked.filter(({ writer, step, position }) => stored.get(`${writer} ${step}`)?.position !== position);
  expect(lost).toEqual([]);
  return stored;
}

describe('a writer that is killed in the middle of its appends', () => {
  const delaysMs = [0, 3, 11, 25, 40, 60, 90, 130];

  it(`has lost nothing that it acknowledged, in each of ${delaysMs.length} lives of one ledger`, async () => {
    const directory = directoryOf();
    const acked: Claim[] = [];
    for (const [life, delayMs] of delaysMs.entries()) {
      const child = startChild(directory, `life${life}`, 4);
      await child.said(2);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await child.kill();
      const heard = claims(child.lines, 'acked');
      expect(heard.length).toBeGreaterThan(0);
      acked.push(...heard);

      const store = await SqliteEventStore.open(directory);
      const stored = await expectKept(store, acked);
      // What was under way, at most one step of each writer, is there as a whole or not at all.
      expect(stored.size - acked.length).toBeLessThanOrEqual(4 * (life + 1));
      expect(await store.integrity()).toEqual([]);
      await store.close();
    }
  });
});

// Without strace nobody can see a process sync, or make its disk fail: then these tests say why they are skipped.
const straceWorks = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
const unlessStrace = straceWorks ? '' : ' (skipped: strace cannot be used here)';

(straceWorks ? describe : describe.skip)(`a writer whose system calls are watched${unlessStrace}`, () => {
  const tracer = (...args: readonly string[]) => ['strace', '-f', '-qq', '-y', '--seccomp-bpf', ...args];

  it('acknowledges nothing before the WAL that holds it is synced', async () => {
    const directory = directoryOf();
    const trace = join(directoryOf(), 'trace');
    const calls = '-etrace=pwrite64,write,fsync,fdatasync';
    const child = startChild(directory, 'traced', 4, tracer(calls, '-o', trace));
    await child.said(200);
    await child.kill();

    let unsynced = false;
    let acknowledged = 0;
    let synced = 0;
    for (const call of completedCalls(trace)) {
      if (/^pwrite64\(\d+<[^>]*ledger\.db-wal>/.test(call)) unsynced = true;
      if (/^(fsync|fdatasync)\(\d+<[^>]*ledger\.db-wal>\)\s+= 0/.test(call)) {
        unsynced = false;
        synced += 1;
      }
      if (/^write\(1<.*"acked/.test(call)) {
        acknowledged += 1;
        expect(unsynced).toBe(false);
      }
    }
    expect(acknowledged).toBeGreaterThanOrEqual(199);
    expect(synced).toBeGreaterThan(10);
  });

  it('has put the names of a new ledger on stable storage before it says that it is open', async () => {
    const home = directoryOf();
    const directory = join(home, 'var', 'cadastre');
    const trace = join(directoryOf(), 'trace');
    const child = startChild(directory, 'traced', 1, tracer('-etrace=write,fsync,rename', '-o', trace));
    await child.said(2);
    await child.kill();
    const calls = completedCalls(trace);
    const first = (pattern: string) => calls.findIndex((call) => new RegExp(pattern).test(call));
    const opened = first('write\\(1<.*"open');
    const renamed = first('rename\\(.*ledger\\.db"');
    expect(renamed).toBeGreaterThan(0);
    const named = calls.slice(renamed).findIndex((call) => call.includes(`<${directory}>)`)) + renamed;
    for (const made of [first(`fsync\\(\\d+<${home}>\\)`), first(`fsync\\(\\d+<${home}/var>\\)`), named]) {
      expect(made).toBeGreaterThan(-1);
      expect(made).toBeLessThan(opened);
    }
    expect(named).toBeGreaterThan(renamed);
  });

  it.each([
    ['syncing the WAL', 'fsync,fdatasync', 'EIO', 'ledger.db-wal', 40],
    ['writing to the WAL', 'pwrite64', 'EIO', 'ledger.db-wal', 300],
    ['writing to the WAL of a full disk', 'pwrite64', 'ENOSPC', 'ledger.db-wal', 301],
    ['syncing the file at a checkpoint', 'fsync,fdatasync', 'EIO', 'ledger.db', 1],
    ['writing to the file at a checkpoint', 'pwrite64', 'EIO', 'ledger.db', 1],
  ])('stops for good when %s fails', async (_what, call, error, file, when) => {
    const directory = directoryOf();
    await (await SqliteEventStore.open(directory)).close();
    const inject = `-einject=${call}:error=${error}:when=${when}`;
    const child = startChild(directory, 'failing', 2, tracer('-P', join(directory, file), inject, '-o', '/dev/null'));
    expect(await child.ended()).toBe(74);
    expect(child.lines.at(-1)).toMatch(/^fenced The ledger takes no more appends/);

    const acked = claims(child.lines, 'acked');
    const unknown = claims(child.lines, 'unknown');
    expect(acked.length).toBeGreaterThan(0);
    expect(unknown).toHaveLength(2);

    const store = await SqliteEventStore.open(directory);
    const stored = await expectKept(store, acked);
    // To ask again at the same revisions is how to learn the fate of what was unknown, and never stores it twice.
    for (const { writer, step } of unknown) {
      const again = stored.has(`${writer} ${step}`);
      expect(await store.append(knownWork(writer, step))).toMatchObject({ kind: 'appended', again });
    }
    expect(storedSteps(await wholeLog(store)).size).toBe(acked.length + unknown.length);
    await store.close();
  });
});
