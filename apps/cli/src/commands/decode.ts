import { type Command } from 'commander';
import { CommandFailed, exitCode } from '../exit-code.js';
import { print, printJson } from '../terminal.js';
import { decodedJson } from './decoded-json.js';
import { decodedMap } from './decoded-map.js';
import { decodedTree } from './decoded-tree.js';
import { readDump } from './read-dump.js';

export function addDecode(program: Command): void {
  const command = program.command('decode')
    .description('decode config spaces: lspci -x/-xxx/-xxxx text, hex digits, or raw bytes as sysfs has them')
    .argument('[file]', 'file to read; - reads standard input')
    .option('--json', 'print as JSON (schema cadastre.decode/1)')
    .option('--map', 'print a map of who owns each byte')
    .action((file: string | undefined, options: { json?: boolean; map?: boolean }) => {
      if (file === undefined && process.stdin.isTTY) {
        command.outputHelp();
        throw new CommandFailed(exitCode.usage, 'name a file, or pipe a dump in: lspci -xxxx | cadastre decode -');
      }
      const captures = readDump(file ?? '-');
      if (options.json) printJson({ schema: 'cadastre.decode/1', functions: captures.map(decodedJson) });
      else print(captures.map(options.map ? decodedMap : decodedTree).join('\n\n'));
    });
}
