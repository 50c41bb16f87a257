import { type Command } from 'commander';
import { type EventStore, type Position } from '@cadastre/event-store';
import { type Moment, replay, type Replayed, systemClock, Timeline } from '@cadastre/ledger';
import { type DeviceId, deviceStream, type VmId } from '@cadastre/lifecycle';
import { CommandFailed, exitCode } from '../exit-code.js';
import { tellingDamage } from '../ledger-damage.js';
import { openStoreToRead } from '../run-ledger.js';
import { paint, print, printJson, progress, table } from '../terminal.js';
import { momentOf, vmOf } from './options.js';

export function addReplay(program: Command): void {
  program.command('replay')
    .description('fold every stream of a ledger from its events alone and print a digest for each device')
    .requiredOption('--data <dir>', 'directory of the ledger; a server may be running on it')
    .option('--at <moment>', 'replay up to a position or an instant (default: everything)', momentOf)
    .option('--vm <vm>', 'tell the devices of one VM only', vmOf)
    .option('--json', 'print as JSON')
    .action(async ({ data, at, vm, json }: { data: string; at?: Moment; vm?: VmId; json?: boolean }) => {
      const whole = await replayDirectory(data, at);
      const replayed = vm === undefined ? whole : ofVm(whole, vm);
      if (json) printJson(replayed);
      else show(replayed);
    });
}

/** Everything was folded all the same: the digest is that of the ledger. */
function ofVm(replayed: Replayed, vm: VmId): Replayed {
  const begins = deviceStream({ vm, device: '' as DeviceId });
  const devices = replayed.devices.filter(({ stream }) => stream.startsWith(begins));
  if (devices.length > 0) return { ...replayed, devices };
  throw new CommandFailed(exitCode.notFound, `no device was attached to ${vm} in these ${replayed.events} events`);
}

async function replayDirectory(directory: string, at: Moment | undefined): Promise<Replayed> {
  const store = await openStoreToRead(directory);
  const bar = progress('replaying events');
  try {
    return await tellingDamage(async () => {
      // Indexes first: an event that no index finds is missing for every reader but this one.
      const [problem] = await store.integrity();
      if (problem !== undefined) throw new CommandFailed(exitCode.integrityFailed, `the ledger is damaged: ${problem}`);
      const upTo = at && await positionOf(store, at);
      const progressed = (done: number, total: number): void => bar.update(done, total);
      return await replay(store, { progress: progressed, ...(upTo === undefined ? {} : { upTo }) });
    });
  } finally {
    bar.stop();
    await store.close();
  }
}

async function positionOf(store: EventStore, at: Moment): Promise<Position> {
  const found = await new Timeline(store, systemClock).find(at);
  if (found.kind === 'found') return found.position;
  const { asked, head } = found.refusal;
  const reach = head === null ? 'is empty' : `goes from position 0 to ${head}`;
  throw new CommandFailed(exitCode.notFound, `${asked} is no moment of the ledger, which ${reach}`);
}

function show({ events, functions, devices, ledgerDigest }: Replayed): void {
  if (devices.length > 0) {
    // What the guest reads is what people compare; a detached device shows nothing, so its state is told.
    print(table(['device', 'state', 'revision', 'digest of', ''], devices.map((one) => [
      one.stream.replace('device-', ''), one.state, String(one.revision),
      one.guestConfigSpaceDigest ? 'guest bytes' : 'state', one.guestConfigSpaceDigest ?? one.stateDigest,
    ])));
  }
  print(`${events} events, ${functions} functions, ${devices.length} devices`);
  print(`ledger ${paint('bold', ledgerDigest)}`);
}
