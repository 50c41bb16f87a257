import { type Command, Option } from 'commander';
import { type Capture, type HostKernel, type SriovRole, survey, vfioView } from '@cadastre/config-space';
import { CommandFailed, exitCode } from '../exit-code.js';
import { hex, print, printJson, say } from '../terminal.js';
import { decodedJson, holds } from './decoded-json.js';
import { decodedMap } from './decoded-map.js';
import { decodedTree, tellFinding } from './decoded-tree.js';
import { flavourOf, kernelReleaseOf, offsetOf, roleOf } from './options.js';
import { readCaptures } from './read-captures.js';

interface DecodeOptions {
  readonly json?: boolean;
  readonly map?: boolean;
  readonly brief?: boolean;
  readonly lenient?: boolean;
  readonly at?: number;
  readonly vfio?: string;
  readonly flavour: HostKernel['flavour'];
  readonly role: SriovRole;
}

export function addDecode(program: Command): void {
  const command = program.command('decode')
    .description('decode config spaces: lspci -x/-xxx/-xxxx text, hex digits, or raw bytes as sysfs has them')
    .argument('[file]', 'file to read; - reads standard input')
    .option('--json', 'print as JSON (schema cadastre.decode/1)')
    .addOption(new Option('--map', 'print a map of who owns each byte').conflicts('json'))
    .option('--brief', 'capabilities without their registers')
    .option('--at <offset>', 'only the capability that holds this offset, for example 0x100', offsetOf)
    .option('--vfio <kernel>', 'as Linux vfio-pci of this release shows it to user space, say 7.2', kernelReleaseOf)
    .option('--flavour <name>', 'kernel tree for --vfio: upstream or nvidia', flavourOf, 'upstream')
    .option('--role <role>', 'SR-IOV role of the functions: pf, vf or none', roleOf, 'none')
    .option('--lenient', 'keep the functions that can be read, report the rest')
    .action((file: string | undefined, options: DecodeOptions) => {
      if (file === undefined && process.stdin.isTTY) {
        command.outputHelp();
        throw new CommandFailed(exitCode.usage, 'name a file, or pipe a dump in: lspci -xxxx | cadastre decode -');
      }
      const captures = readCaptures(file ?? '-', options.lenient).map((one) => viewed(one, options));
      const { at } = options;
      if (at !== undefined && !captures.some((one) => survey(one.space).capabilities.some((it) => holds(it, at)))) {
        throw new CommandFailed(exitCode.negative, `no capability holds ${hex(at)}`);
      }
      if (options.json) {
        printJson({ schema: 'cadastre.decode/1', functions: captures.map((one) => decodedJson(one, options)) });
      } else if (options.map) print(captures.map(decodedMap).join('\n\n'));
      else print(captures.map((one) => decodedTree(one, options)).join('\n\n'));
    });
}

/** The capture itself, or what vfio-pci makes of it; what it did is said on stderr. */
function viewed(capture: Capture, { vfio, flavour, role }: DecodeOptions): Capture {
  if (vfio === undefined) return capture;
  const { space, findings } = vfioView(capture.space, { release: vfio, flavour }, { role });
  for (const one of findings) say(`${capture.address} vfio: ${tellFinding(one)}`);
  return { ...capture, space };
}
