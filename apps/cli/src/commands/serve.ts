import { type Command } from 'commander';
import { runLedger, untilSignalled } from '../run-ledger.js';
import { print, say } from '../terminal.js';
import { portOf } from './options.js';

export const portDefault = 8420;

export function addServe(program: Command): void {
  program.command('serve')
    .description('serve the HTTP API over the ledger in a directory')
    .requiredOption('--data <dir>', 'directory of the ledger; made when it is missing')
    .option('--port <number>', 'TCP port; 0 takes a free one', portOf, portDefault)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .action(async ({ data, port, host }: { data: string; port: number; host: string }) => {
      const ledger = await runLedger(data, host, port);
      print(ledger.url);
      say(`cadastre serves the ledger in ${data}; Ctrl-C ends it`);
      say(`${await untilSignalled()}: finishing`);
      await ledger.close();
    });
}
