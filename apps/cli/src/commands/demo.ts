import { readFileSync } from 'node:fs';
import { type Command } from 'commander';
import { type Bdf, readLspciText, type SriovRole, survey } from '@cadastre/config-space';
import { type IommuFacts } from '@cadastre/device-layout';
import { type ObservedKernel } from '@cadastre/lifecycle';
import { LedgerClient } from '../api/ledger-client.js';
import { CommandFailed, exitCode } from '../exit-code.js';
import { scanFunctions } from '../host/scan-functions.js';
import { thisHost } from '../host/this-host.js';
import { runLedger, untilSignalled } from '../run-ledger.js';
import { hex, paint, print, say, table } from '../terminal.js';
import { portOf } from './options.js';
import { pushFunctions } from './scan.js';
import { portDefault } from './serve.js';

/** samples/ lies three folders above this file, built or not. */
const samples = new URL('../../../../samples/', import.meta.url);
const sampleHost = 'samples';
const attached = { vm: 'demo-vm', device: 'nvme0', file: 'nvme-vf.lspci' };

interface SampleIndex {
  readonly kernel: ObservedKernel;
  readonly iommu: IommuFacts;
  readonly functions: readonly {
    readonly file: string; readonly address: Bdf; readonly role: SriovRole; readonly pf: Bdf | null;
  }[];
}

export function addDemo(program: Command): void {
  program.command('demo')
    .description("serve a ledger with the samples and this machine's functions in it, and one VF attached with PASID")
    .requiredOption('--data <dir>', 'directory of the ledger; made when it is missing')
    .option('--port <number>', 'TCP port; 0 takes a free one', portOf, portDefault)
    .action(async ({ data, port }: { data: string; port: number }) => {
      const ledger = await runLedger(data, '127.0.0.1', port);
      try {
        await tell(new LedgerClient(ledger.url), ledger.url, data);
        say(`${await untilSignalled()}: finishing`);
      } finally {
        await ledger.close();
      }
    });
}

async function tell(client: LedgerClient, url: string, data: string): Promise<void> {
  const { kernel, functions, unreadable } = scanFunctions();
  for (const { name, problem } of unreadable) say(`${name}: not read: ${problem}`);
  const iommu = { maxPasidLog2: 0, exec: false, priv: false, atsSupported: false };
  const own = await pushFunctions(client, thisHost(), kernel, functions, iommu);
  const registered = await registerSamples(client);
  print(`${paint('bold', 'cadastre')} keeps its ledger in ${data}`);
  print(`${own.recorded} functions of this machine and ${registered} samples are registered\n`);
  const offset = await attachSample(client);
  print(`\n${paint('bold', 'It keeps serving.')} Try, in another terminal:`);
  for (const line of nextCommands(url, data, offset)) print(`  ${paint('green', line)}`);
  print(`\n${url}\n`);
}

function sampleIndex(): SampleIndex {
  return JSON.parse(readFileSync(new URL('samples.json', samples), 'utf8')) as SampleIndex;
}

/** Keys are fixed, so a second start finds what the first one recorded. */
async function registerSamples(client: LedgerClient): Promise<number> {
  const { kernel, iommu, functions } = sampleIndex();
  for (const { file, address, role, pf } of functions) {
    await client.post('/v1/functions', `demo:register:${file}`, {
      host: sampleHost, address, kernel, iommu, sriov: { role, pf },
      configSpace: { encoding: 'lspci', data: readFileSync(new URL(file, samples), 'utf8') },
    });
  }
  return functions.length;
}

interface AttachedView {
  readonly state: 'attached';
  readonly function: { readonly host: string; readonly address: string };
  readonly layout: {
    readonly digest: string;
    readonly placements: readonly {
      readonly name: string; readonly offset: number; readonly length: number; readonly strategy: string;
      readonly explanation: { readonly reason: string; readonly cautions: readonly string[];
        readonly refused: readonly string[] };
    }[];
  };
  readonly guestConfigSpaceDigest: string;
}

/** Attaches the sample VF, shows the layout, and tells where PASID is; undefined when it was detached since. */
async function attachSample(client: LedgerClient): Promise<number | undefined> {
  const { vm, device, file } = attached;
  const sample = sampleIndex().functions.find((one) => one.file === file);
  if (!sample) throw new CommandFailed(exitCode.notFound, `samples.json has no ${file}`);
  const path = `/v1/vms/${vm}/devices/${device}`;
  await client.post(`${path}/attach`, `demo:attach:${file}`, {
    function: { host: sampleHost, address: sample.address }, capabilities: [{ name: 'pasid', width: 20 }],
  });
  const now = (await client.get(path)).body as AttachedView | { readonly state: 'detached' };
  if (now.state === 'detached') {
    // Somebody tried that on an earlier start; their ledger is not ours to change back.
    print(`${paint('bold', `${vm}/${device}`)} was attached on an earlier start and is detached since`);
    return undefined;
  }
  const view = now;
  const text = (await client.get(`${path}/config-space`)).body as string;
  print(`${paint('bold', `${vm}/${device}`)} is attached to ${view.function.host}/${view.function.address}`);
  print(`  ${titleOf(readFileSync(new URL(file, samples), 'utf8'))}`);
  print('  its extended config space, as the guest will walk it:\n');
  print(indent(table(['offset', 'size', 'capability', 'owner', 'reason'], layoutRows(view, text))));
  for (const { explanation } of view.layout.placements) {
    for (const one of explanation.refused) print(`  considered, not taken: ${one}`);
    for (const one of explanation.cautions) print(`  ${paint('yellow', `note: ${one}`)}`);
  }
  print(`  guest config space ${paint('gray', view.guestConfigSpaceDigest)}`);
  return view.layout.placements[0]?.offset;
}

function titleOf(dump: string): string {
  const captures = readLspciText(dump);
  return captures.ok ? captures.value[0]?.title ?? '' : '';
}

/** One row for each capability of the guest's extended list, surveyed from the bytes the ledger shows. */
function layoutRows({ layout }: AttachedView, guest: string): readonly (readonly string[])[] {
  const captures = readLspciText(guest);
  const [first] = captures.ok ? captures.value : [];
  if (!first) throw new CommandFailed(exitCode.io, 'the ledger shows a config space that cannot be read');
  const listed = survey(first.space).capabilities.filter((one) => one.space === 'extended');
  return listed.map(({ offset, length, row }) => {
    const placement = layout.placements.find((one) => one.offset === offset);
    const reason = placement?.explanation.reason ?? 'the hardware lists it here';
    return [hex(offset), `${length} bytes`, row.name, placement ? 'synthetic' : 'hardware', reason];
  });
}

function indent(text: string): string {
  return text.split('\n').map((one) => `  ${one}`).join('\n');
}

/** `offset` is where PASID was placed. */
function nextCommands(url: string, data: string, offset: number | undefined): readonly string[] {
  const device = `${url}/v1/vms/${attached.vm}/devices/${attached.device}`;
  return [
    `curl -s ${device}`,
    ...(offset === undefined ? [] : [`curl -s ${device}/config-space | npx cadastre decode - --at ${hex(offset)}`]),
    'npx cadastre decode samples/nic-v2.lspci --map',
    `curl -s '${url}/v1/events?limit=5'`,
    `npx cadastre replay --data ${data}`,
  ];
}
