import { type Command } from 'commander';
import { vfioView } from '@cadastre/config-space';
import { type LayoutPlacements, placementsOf } from '@cadastre/device-layout';
import {
  type DeviceNames, type KnobsAnswer, knobsFor, type UnmetPlacement, type VmmProfile,
} from '@cadastre/vmm-profiles';
import { CommandFailed, exitCode } from '../exit-code.js';
import { hex, paint, print, printJson } from '../terminal.js';
import { flavourOf, kernelReleaseOf } from './options.js';
import { oneCapture, readLayout } from './read-layout.js';
import { profileOf } from './vmm-options.js';

interface KnobsOptions extends Omit<DeviceNames, 'pasid'> {
  readonly vmm: VmmProfile;
  readonly dump?: string;
  readonly kernel: string;
  readonly flavour: 'upstream' | 'nvidia';
  readonly json?: boolean;
}

export function addKnobs(program: Command): void {
  program.command('knobs')
    .description('say what to set so that a VMM shows a layout; ends with 1 when it cannot')
    .argument('<layout>', 'layout document; - reads standard input')
    .requiredOption('--vmm <name>', 'VMM and version, for example qemu-11.0', profileOf)
    .option('--dump <file>', 'the function of the host: what its kernel shows of it needs no setting')
    .option('--kernel <release>', 'host kernel, as uname -r says it', kernelReleaseOf, '7.2')
    .option('--flavour <name>', 'tree of the host kernel: upstream or nvidia', flavourOf, 'upstream')
    .option('--host-bdf <address>', 'the host function, for the fragments')
    .option('--device <id>', 'name of the device, for the fragments')
    .option('--bus <name>', 'port or bus of the guest, for the fragments')
    .option('--iommufd <id>', 'name of the iommufd object, for the fragments')
    .option('--json', 'print as JSON (schema cadastre.knobs/1)')
    .action((file: string, options: KnobsOptions) => {
      const { vmm, json, hostBdf, device, bus, iommufd } = options;
      const { wanted, starts, pasid } = placementsIn(file, options);
      const answer = knobsFor(wanted, vmm, { hostBdf, device, bus, iommufd, pasid }, starts);
      if (json) printJson({ schema: 'cadastre.knobs/1', wanted, ...answer });
      else print(answerText(answer, wanted));
      if (answer.verdict === 'cannot-obey') {
        throw new CommandFailed(exitCode.negative, `${answer.profile.name} cannot obey`);
      }
    });
}

function placementsIn(file: string, { dump, kernel, flavour }: KnobsOptions): LayoutPlacements {
  const layout = readLayout(file);
  if (dump === undefined) return placementsOf(layout);
  return placementsOf(layout, vfioView(oneCapture(dump).space, { release: kernel, flavour }).space);
}

function answerText(
  { profile, verdict, unmet, implicitDefault, configuration, needs }: KnobsAnswer, wanted: LayoutPlacements['wanted'],
): string {
  return [
    `${paint('cyan', `${profile.name}/${profile.revision}`)} ${verdict}`,
    ...(wanted.length === 0 ? ['  nothing is asked of the VMM: the hardware has it all'] : []),
    ...wanted.filter((one) => unmet.every((other) => other.wanted !== one))
      .map(({ name, offset }) => `  ${name} at ${hex(offset, 3)}`),
    ...unmet.flatMap(unmetText),
    ...(implicitDefault === null ? [] : [`  default ${hex(implicitDefault.offset)}: ${implicitDefault.says}`]),
    ...needs.map((one) => `  needs ${one}`),
    // What starts a guest without the layout is nothing to paste.
    ...(verdict === 'cannot-obey' ? [] : configuration).flatMap(({ kind, text, taint }) =>
      ['', `${paint('bold', kind)}${taint === null ? '' : paint('yellow', ` (${taint})`)}`, text]),
  ].join('\n');
}

function unmetText({ wanted, says, rule, confidence, insteadOffset }: UnmetPlacement): readonly string[] {
  return [
    `  ${paint('yellow', `! ${wanted.name} at ${hex(wanted.offset, 3)}: ${says}`)} (${rule}, ${confidence})`,
    `    the guest finds it ${insteadOffset === null ? 'nowhere we know of' : `at ${hex(insteadOffset, 3)}`}`,
  ];
}
