import { type Command } from 'commander';
import { type DeviceNames, type KnobsAnswer, knobsFor, type VmmProfile } from '@cadastre/vmm-profiles';
import { CommandFailed, exitCode } from '../exit-code.js';
import { hex, paint, print, printJson } from '../terminal.js';
import { offsetOf } from './options.js';
import { profileOf } from './vmm-options.js';

interface KnobsOptions extends Omit<DeviceNames, 'pasid'> {
  readonly vmm: VmmProfile;
  readonly pasid?: number;
  readonly json?: boolean;
}

const pasid = { id: 0x1b, length: 8 } as const;

export function addKnobs(program: Command): void {
  program.command('knobs')
    .description('say what to set so that a VMM shows PASID where it is wanted')
    .requiredOption('--vmm <name>', 'VMM and version, for example qemu-11.0', profileOf)
    .option('--pasid <offset>', 'where the guest shall find PASID; without it nothing is wanted', offsetOf)
    .option('--host-bdf <address>', 'the host function, for the fragments')
    .option('--device <id>', 'name of the device, for the fragments')
    .option('--bus <name>', 'port or bus of the guest, for the fragments')
    .option('--iommufd <id>', 'name of the iommufd object, for the fragments')
    .option('--json', 'print as JSON (schema cadastre.knobs/1)')
    .action(({ vmm, pasid: offset, json, ...names }: KnobsOptions) => {
      const answer = knobsFor(offset === undefined ? [] : [{ ...pasid, offset }], vmm, names);
      if (json) printJson({ schema: 'cadastre.knobs/1', ...answer });
      else print(answerText(answer));
      if (answer.verdict === 'cannot-obey') {
        throw new CommandFailed(exitCode.negative, `${answer.profile.name} cannot obey`);
      }
    });
}

function answerText({ profile, verdict, unmet, implicitDefault, configuration, needs }: KnobsAnswer): string {
  return [
    `${paint('cyan', `${profile.name}/${profile.revision}`)} ${verdict}`,
    ...unmet.map(({ wanted, says, rule, confidence, insteadOffset }) =>
      `  ${paint('yellow', `! ${hex(wanted.id)} at ${hex(wanted.offset)}: ${says}`)} (${rule}, ${confidence}); `
      + `the guest finds it ${insteadOffset === null ? 'nowhere we know of' : `at ${hex(insteadOffset)}`}`),
    ...(implicitDefault === null ? [] : [`  default ${hex(implicitDefault.offset)}: ${implicitDefault.says}`]),
    ...needs.map((one) => `  needs ${one}`),
    ...configuration.flatMap(({ kind, text, taint }) =>
      ['', `${paint('bold', kind)}${taint === null ? '' : paint('yellow', ` (${taint})`)}`, text]),
  ].join('\n');
}
