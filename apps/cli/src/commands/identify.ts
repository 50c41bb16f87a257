import { type Command } from 'commander';
import { ByteRange, type Capture } from '@cadastre/config-space';
import { type Explanation, identify } from '@cadastre/vmm-profiles';
import { CommandFailed, exitCode } from '../exit-code.js';
import { print, printJson, table } from '../terminal.js';
import { readCaptures } from './read-captures.js';

/** Enough to see what kind of bytes differ. */
const rangesShownMax = 4;

export function addIdentify(program: Command): void {
  program.command('identify')
    .description('say which VMM, kernel and knobs explain what a guest shows')
    .argument('<physical>', 'the function as the host has it: lspci text, hex digits or raw bytes')
    .argument('<guest>', 'the same function as the guest reads it')
    .option('--json', 'print as JSON (schema cadastre.identify/1)')
    .action((physical: string, guest: string, { json }: { json?: boolean }) => {
      const explanations = identify(only(physical).space, only(guest).space);
      if (json) printJson({ schema: 'cadastre.identify/1', explanations });
      else print(table(['differing', 'VMM', 'kernel', 'port', 'knobs', 'bytes'], explanations.map(row)));
      const least = explanations[0]?.differingBytes;
      if (least !== 0) {
        const nearest = least === undefined ? '' : `; the nearest leaves ${least} bytes unexplained`;
        throw new CommandFailed(exitCode.negative, `nothing explains every byte${nearest}`);
      }
    });
}

function only(file: string): Capture {
  const [first, second] = readCaptures(file);
  if (first !== undefined && second === undefined) return first;
  throw new CommandFailed(exitCode.negative, `${file} must hold exactly one function`);
}

function row({ differingBytes, profile, kernels, port, settings, differing }: Explanation): readonly string[] {
  const knobs = Object.entries(settings).map(([name, value]) => `${name}=${value}`).join(' ');
  const shown = differing.slice(0, rangesShownMax).map((one) => ByteRange.show(one)).join(' ');
  const more = differing.length > rangesShownMax ? ` and ${differing.length - rangesShownMax} more` : '';
  return [String(differingBytes), profile, kernels.join(', '), port, knobs || '-', `${shown}${more}` || '-'];
}
