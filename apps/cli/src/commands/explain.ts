import { type Command } from 'commander';
import { explainByte } from '@cadastre/device-layout';
import { LedgerClient } from '../api/ledger-client.js';
import { CommandFailed, exitCode } from '../exit-code.js';
import { hex, print, printJson } from '../terminal.js';
import { ledgerUrlOf, momentOf, offsetOf } from './options.js';
import { readLayout } from './read-layout.js';

interface ExplainOptions {
  readonly byte: number;
  readonly server?: string;
  readonly vm?: string;
  readonly device?: string;
  readonly at?: string;
  readonly json?: boolean;
}

export function addExplain(program: Command): void {
  program.command('explain')
    .description('who owns a byte of a layout, and what put it there: of a document, or of a device of a ledger')
    .argument('[layout]', 'layout document; - reads standard input')
    .requiredOption('--byte <offset>', 'offset of the byte', offsetOf)
    .option('--server <url>', 'ledger of the device, for example http://127.0.0.1:8420', ledgerUrlOf)
    .option('--vm <name>', 'VM of the device')
    .option('--device <name>', 'the device')
    .option('--at <moment>', 'its layout as of a position or an instant', momentAsGiven)
    .option('--json', 'print as JSON (schema cadastre.explain/1)')
    .action((file: string | undefined, options: ExplainOptions) => explain(file, options));
}

/** The server reads the moment; a wrong one is told before it is asked. */
function momentAsGiven(given: string): string {
  momentOf(given);
  return given;
}

async function explain(file: string | undefined, options: ExplainOptions): Promise<void> {
  const { byte, server, vm, device, at, json } = options;
  if (server === undefined) {
    if (file === undefined || vm !== undefined || device !== undefined || at !== undefined) {
      throw new CommandFailed(exitCode.usage, file === undefined
        ? 'name a layout document, or --server, --vm and --device'
        : '--vm, --device and --at are about a ledger: name it with --server');
    }
    const told = explainByte(readLayout(file), byte);
    if (!told) throw new CommandFailed(exitCode.negative, `${hex(byte)} is not in this layout`);
    if (json) printJson({ schema: 'cadastre.explain/1', ...told });
    else print(told.explanation.join('\n'));
    return;
  }
  if (file !== undefined || vm === undefined || device === undefined) {
    throw new CommandFailed(exitCode.usage, file === undefined ? 'with --server, name --vm and --device'
      : 'name a layout document or a ledger, not both');
  }
  const query = String(new URLSearchParams({ byte: hex(byte), ...(at === undefined ? {} : { at }) }));
  const path = `/v1/vms/${encodeURIComponent(vm)}/devices/${encodeURIComponent(device)}/explain?${query}`;
  const body = (await new LedgerClient(server).get(path)).body as { readonly explanation: readonly string[] };
  if (json) printJson({ schema: 'cadastre.explain/1', ...body });
  else print(body.explanation.join('\n'));
}
