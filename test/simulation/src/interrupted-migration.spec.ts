import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { History, Tally } from './history.js';
import { type Home, homeInMemory, homeOnDisk } from './home.js';
import { type Loss, losses } from './losing-store.js';
import { type Request } from './request.js';
import { devices, slots } from './world.js';

const slotOf = (name: string): number => slots.findIndex((one) => one.name === name);
const nic0 = devices.findIndex(({ name }) => name === 'vm-1/nic0');
const nic1 = devices.findIndex(({ name }) => name === 'vm-1/nic1');
const fresh = { stale: false } as const;
const at = ['host-a', 'host-b'].flatMap((host) =>
  ['0000:3b:00.0', '0000:81:00.0', '0000:81:00.1'].map((address) => slotOf(`${host}/${address}`)));

/** A VM with a plain function and a VF whose guest uses PASID and PRI, on its way to another host. */
const departure: readonly Request[] = [
  ...at.map((slot) => ({ ...fresh, kind: 'observe', slot, look: 0, facts: 0 }) as const),
  { ...fresh, kind: 'attach', device: nic0, slot: slotOf('host-a/0000:3b:00.0'), wish: 'pasid', vmm: 'qemu' },
  {
    ...fresh, kind: 'attach', device: nic1, slot: slotOf('host-a/0000:81:00.1'), wish: 'pasid-ats-pri', vmm: 'generic',
  },
  { ...fresh, kind: 'see', device: nic0, shows: 'the-layout' },
  { ...fresh, kind: 'enable-pasid', device: nic1, width: null, ssidBits: 16, ports: 1 },
  { ...fresh, kind: 'attach-pasid', device: nic1, pasid: 1, ptId: 7, table: 'ioas' },
  { ...fresh, kind: 'enable-ats', device: nic1 },
  { ...fresh, kind: 'enable-pri', device: nic1 },
  { ...fresh, kind: 'plan', vm: 'vm-1', host: 'host-b', to: [0, 0], without: false },
  { ...fresh, kind: 'advance', back: 0, step: 'prepare' },
];
const completed: readonly Request[] = [...departure, { ...fresh, kind: 'advance', back: 0, step: 'complete' }];
const aborted: readonly Request[] = [...departure, { ...fresh, kind: 'advance', back: 0, step: 'abort' }];

/** Steps that are worth a crash: those behind the looks, and those of the migration itself. */
const fromAttach = completed.findIndex(({ kind }) => kind === 'attach');
const fromPlan = completed.findIndex(({ kind }) => kind === 'plan');

interface Crash {
  readonly step: number;
  readonly loss: Loss;
}

/** Time stands still, so that equal histories are equal to the letter. */
const clock = { now: () => new Date('2026-11-23T17:00:00.000Z') };

/** Tells a story; after a crash the client begins it anew, under the same keys. */
async function told(home: Home, story: readonly Request[], crash: Crash | null): Promise<string> {
  const history = await History.begin(home, new Tally());
  try {
    for (const [step, request] of story.entries()) {
      await history.send(request, false, step === crash?.step ? crash.loss : null);
      if (step === crash?.step) for (let back = step; back >= 0; back -= 1) await history.repeat(back);
    }
    await history.expectOneTruth();
    return await history.digest();
  } finally {
    await history.end();
  }
}

const directory = mkdtempSync(join(tmpdir(), 'cadastre-simulation-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function expectUntouched(home: () => Home, story: readonly Request[], from: number): Promise<void> {
  const untouched = await told(home(), story, null);
  for (const step of [...story.keys()].slice(from)) {
    for (const loss of losses) {
      expect([step, loss, await told(home(), story, { step, loss })]).toEqual([step, loss, untouched]);
    }
  }
}

describe('a migration ends as if nothing had been when the ledger dies while it writes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cadastre-simulation-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('any step of one that is completed, in memory', async () => {
    await expectUntouched(() => homeInMemory(clock), completed, fromAttach);
  }, 60_000);

  it('any step of one that is aborted, in memory', async () => {
    await expectUntouched(() => homeInMemory(clock), aborted, fromPlan);
  }, 60_000);

  it('plan, prepare, complete and abort, on disk', async () => {
    await expectUntouched(() => homeOnDisk(clock, directory), completed, fromPlan);
    await expectUntouched(() => homeOnDisk(clock, directory), aborted, aborted.length - 1);
  }, 60_000);
});
