// npm run bench: prints figures, asserts nothing. Node has the room for young objects that bin/cadastre.mjs gives it.
// `--seconds N` sets how long each load runs (default 5, at most 60).
import { parseArgs } from 'node:util';
import { benchCore, space } from './core.bench.js';
import { benchHttp } from './http.bench.js';
import { benchLayouts } from './layout.bench.js';
import { benchLongDevices } from './long-device.bench.js';
import { probeMachine } from './machine.js';
import { benchPasids } from './pasids.bench.js';
import { benchFold, benchReplay } from './replay.bench.js';
import { benchText } from './text.bench.js';
import { benchViews } from './views.bench.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '5' } } });
const seconds = Math.min(60, Math.max(1, Number(values.seconds) || 5));

/** Processes of a guest that use its device at the same time. */
const pasidsOfVm = 4;

const machine = probeMachine();
const core = benchCore();
const layouts = benchLayouts();
const pasids = benchPasids(space('nvme-pf'));
const long = await benchLongDevices(space('nvme-pf'));
const text = benchText();
const replays = [await benchReplay(0), await benchReplay(pasidsOfVm)];
const foldMicros = benchFold();
const { loads, replay: young } = await benchHttp(seconds);
const views = await benchViews();

const line = (what: string, figure: string, goal = ''): void => {
  process.stdout.write(`${what.padEnd(44)} ${figure.padStart(12)}  ${goal}\n`);
};
const micros = (value: number): string => `${value.toFixed(1)} us`;

process.stdout.write(`${machine.cpu}\n\n`);
line('fdatasync of 2 KiB, growing file', micros(machine.fdatasyncMicros), 'floor');
line('sha256 of 4 KiB', micros(machine.sha256Micros), 'floor');
line('survey of a 4 KiB space', micros(core.surveyMicros), `goal <= 20 us; ${ratio(core.surveyMicros)} of a sha256`);
line('planLayout', micros(core.planMicros), `goal <= 50 us; ${ratio(core.planMicros)} of a sha256`);
line('guestView of a 4 KiB space', micros(core.guestViewMicros),
  `goal <= 40 us; ${ratio(core.guestViewMicros)} of a sha256`);
line('  the slowest VMM, 17 capabilities', micros(core.slowestView.micros),
  `goal <= 40 us; ${core.slowestView.profile}`);
line('planLayout, 17 capabilities, 3 wanted', micros(layouts.planMicros), 'goal <= 50 us');
line('planLayout, 17 capabilities, PASID wanted', micros(layouts.pasidMicros), 'goal <= 50 us');
line('migrationVerdict, 17 capabilities', micros(layouts.verdictMicros), 'goal <= 100 us');
line('  for a VMM that compares bytes', micros(layouts.comparingMicros), 'goal <= 100 us');
line(`baseline of ${layouts.fleet} functions`, `${layouts.baselineMillis.toFixed(0)} ms`,
  'goal <= 2 s, surveyed before');
line('layout document, written and read', micros(layouts.documentMicros));
line('fold of a device with 3 events', micros(pasids.foldThreeMicros), 'goal <= 20 us');
line('fold of 1,000 PASID events, an event', micros(pasids.foldPerEventMicros));
for (const [size, figure] of pasids.attachMicros) {
  line(`PASID attach beside ${size.toLocaleString('en')}, decided and folded`, micros(figure), 'goal: flat');
}
line('a command reads a device of 3 events', micros(long.shortMicros), 'one event of them new, from the file');
line('  of 1,000 PASID events', micros(long.longMicros),
  `goal <= 1.5x of the one before; ${(long.longMicros / long.shortMicros).toFixed(2)}x`);
line(`first command after a start, ${long.pasids.toLocaleString('en')} PASIDs`, `${long.coldMillis.toFixed(0)} ms`,
  `from the log alone ${long.wholeMillis.toFixed(0)} ms`);
line('  the same device at an earlier position', `${long.pastP50Millis.toFixed(0)} ms`,
  `p99 ${long.pastP99Millis.toFixed(0)} ms; kept states are ${(100 * long.keptShare).toFixed(0)} % of the log`);
line('reading a 4 KiB text dump', micros(core.readTextMicros));
line(`reading a dump of ${text.functions}, CPU a function`, micros(text.oursMicros), text.lspciMicros === null
  ? 'lspci is not installed: no comparison'
  : `lspci -F -n ${micros(text.lspciMicros)}; ratio ${(text.oursMicros / text.lspciMicros).toFixed(2)}`);
line('heap growth over 100,000 surveys', `${(core.heapGrowthBytes / 1024).toFixed(0)} KiB`, 'goal: flat');
for (const { connections, attachesPerSecond, p50Millis, p99Millis } of loads) {
  const floor = 1e6 / machine.fdatasyncMicros;
  line(`attach over HTTP, durable, ${connections} connection${connections === 1 ? '' : 's'}`,
    `${attachesPerSecond.toFixed(0)} /s`,
    `p50 ${p50Millis.toFixed(2)} ms, p99 ${p99Millis.toFixed(2)} ms; `
      + `${(attachesPerSecond / floor).toFixed(2)} per fdatasync`);
}
line('fold of a device of 3 events', micros(foldMicros), 'goal <= 20 us');
for (const [index, replay] of replays.entries()) {
  line(`replay of ${replay.events} events, ${index === 0 ? 'no PASID used' : `${pasidsOfVm} PASIDs a VM`}`,
    `${replay.eventsPerSecond.toFixed(0)} /s`,
    `goal >= 200000 /s; a row, sha256 and JSON.parse alone ${replay.floorPerSecond.toFixed(0)} /s`);
  line('  its mean event', `${replay.meanBytes.toFixed(0)} bytes`, [...replay.mix]
    .map(([type, count]) => `${type} ${((100 * count) / replay.events).toFixed(1)} %`).join(', '));
}
line(`replay of ${young.events} events, each function new`, `${young.eventsPerSecond.toFixed(0)} /s`);
line(`views of ${views.devices} devices, rebuilt`, `${views.rebuiltPerSecond.toFixed(0)} /s`, 'events');
line('  first page after a start, over HTTP', `${views.firstPageMillis.toFixed(1)} ms`);
for (const { filter, p50Millis, p99Millis, overHttp } of views.lists) {
  const [own, http] = [[p50Millis, p99Millis], [overHttp.p50Millis, overHttp.p99Millis]]
    .map(([p50 = 0, p99 = 0]) => `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  line(`a page of 100 ${filter}`, `${p99Millis.toFixed(2)} ms`, `goal: p99 <= 10 ms; ${own}; over HTTP ${http}`);
}

function ratio(value: number): string {
  return `${(value / machine.sha256Micros).toFixed(1)}x`;
}
