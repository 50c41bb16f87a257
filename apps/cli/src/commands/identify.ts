import { type Command } from 'commander';
import { ByteRange } from '@cadastre/config-space';
import { type Explanation, identify } from '@cadastre/vmm-profiles';
import { CommandFailed, exitCode } from '../exit-code.js';
import { print, printJson, table } from '../terminal.js';
import { oneCapture } from './read-layout.js';

/** Enough to see what kind of bytes differ. */
const rangesShownMax = 4;

interface IdentifyOptions {
  readonly function?: string;
  readonly guestFunction?: string;
  readonly json?: boolean;
}

export function addIdentify(program: Command): void {
  program.command('identify')
    .description('say which VMM, kernel and knobs explain what a guest shows')
    .argument('<physical>', 'the function as the host has it: lspci text, hex digits or raw bytes')
    .argument('<guest>', 'the same function as the guest reads it')
    .option('--function <address>', 'which function of the host\'s dump')
    .option('--guest-function <address>', 'which function of the guest\'s dump')
    .option('--json', 'print as JSON (schema cadastre.identify/1)')
    .action((physical: string, guest: string, options: IdentifyOptions) => {
      const explanations = identify(oneCapture(physical, options.function).space,
        oneCapture(guest, options.guestFunction, '--guest-function').space);
      if (options.json) printJson({ schema: 'cadastre.identify/1', explanations });
      else print(table(['differing', 'VMM', 'kernel', 'port', 'knobs', 'bytes'], explanations.map(row)));
      const least = explanations[0]?.differingBytes;
      if (least !== 0) {
        const nearest = least === undefined ? '' : `; the nearest leaves ${least} bytes unexplained`;
        throw new CommandFailed(exitCode.negative, `nothing explains every byte${nearest}`);
      }
    });
}

function row({ differingBytes, profile, kernels, port, settings, differing }: Explanation): readonly string[] {
  const knobs = Object.entries(settings).map(([name, value]) => `${name}=${value}`).join(' ');
  const shown = differing.slice(0, rangesShownMax).map((one) => ByteRange.show(one)).join(' ');
  const more = differing.length > rangesShownMax ? ` and ${differing.length - rangesShownMax} more` : '';
  return [String(differingBytes), profile, kernels.join(', '), port, knobs || '-', `${shown}${more}` || '-'];
}
