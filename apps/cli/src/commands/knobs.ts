import { type Command } from 'commander';
import { survey } from '@cadastre/config-space';
import { type KnobsAnswer, knobsFor, type LayoutDocument } from '@cadastre/device-layout';
import { CommandFailed, exitCode } from '../exit-code.js';
import { hex, paint, print, printJson, say } from '../terminal.js';
import { assumedOf, familyOf, type HostOptions, iommuPasidOf, kernelOf, withHost } from './host-options.js';
import { oneCapture, readLayout } from './read-layout.js';

interface KnobsOptions extends HostOptions {
  readonly dump?: string;
  readonly function?: string;
  readonly hostBdf?: string;
  readonly device?: string;
  readonly bus?: string;
  readonly iommufd?: string;
  readonly json?: boolean;
}

export function addKnobs(program: Command): void {
  withHost(program.command('knobs')
    .description('say what to set so that a VMM shows a layout; ends with 1 when it cannot')
    .argument('<layout>', 'layout document; - reads standard input'))
    .option('--dump <file>', 'the function of the host; without it the document has to stand for the hardware')
    .option('--function <address>', 'which function of that dump')
    .option('--host-bdf <address>', 'the host function, for the fragments')
    .option('--device <id>', 'name of the device, for the fragments')
    .option('--bus <name>', 'port or bus of the guest, for the fragments')
    .option('--iommufd <id>', 'name of the iommufd object, for the fragments')
    .option('--json', 'print as JSON (schema cadastre.knobs/1)')
    .action((file: string, options: KnobsOptions) => {
      const assumed = assumedOf(options);
      for (const one of assumed) say(one);
      const answer = answerTo(readLayout(file), options);
      const { seen, ...rest } = answer;
      if (options.json) printJson({ schema: 'cadastre.knobs/1', assumed, ...rest, outcome: seen.outcome });
      else print(answerText(answer));
      if (answer.verdict === 'cannot-obey') {
        throw new CommandFailed(exitCode.negative, `${answer.profile.name} cannot obey`);
      }
    });
}

function answerTo(layout: LayoutDocument, options: KnobsOptions): KnobsAnswer {
  const { vmm, dump, function: named, hostBdf, device, bus, iommufd, port, knob, barSizes } = options;
  const physical = dump === undefined ? null : oneCapture(dump, named).space;
  const { role, family } = familyOf(physical ?? layout.space, options);
  return knobsFor(layout, vmm.profile, {
    physical: physical && survey(physical, role), role, family, kernel: kernelOf(options), port,
    pasid: iommuPasidOf(options), settings: knob ?? {}, names: { hostBdf, device, bus, iommufd },
    ...(barSizes ? { barSizesBytes: barSizes } : {}),
  });
}

function answerText(answer: KnobsAnswer): string {
  const { profile, verdict, wanted, settings, unmet, implicitDefault, configuration, needs } = answer;
  return [
    `${paint('cyan', `${profile.name}/${profile.revision}`)} ${verdict}`,
    ...(wanted.length === 0 ? ['  no capability is asked of the VMM: the hardware has it all'] : []),
    ...wanted.filter(({ offset }) => unmet.every((one) => one.kind !== 'not-made' || one.offset !== offset))
      .map(({ name, offset }) => `  ${name} at ${hex(offset, 3)}`),
    ...Object.entries(settings).map(([name, value]) => `  set ${name}=${value}`),
    ...unmet.flatMap(unmetText),
    ...(implicitDefault === null ? [] : [`  default ${hex(implicitDefault.offset)}: ${implicitDefault.says}`]),
    ...needs.map((one) => `  needs ${one}`),
    // What starts a guest without the layout is nothing to paste.
    ...(verdict === 'cannot-obey' ? [] : configuration).flatMap(({ kind, text, taint }) =>
      ['', `${paint('bold', kind)}${taint === null ? '' : paint('yellow', ` (${taint})`)}`, text]),
  ].join('\n');
}

function unmetText(
  { kind, offset, insteadOffset, rule, confidence, says }: KnobsAnswer['unmet'][number],
): readonly string[] {
  const at = offset === null ? '' : `${hex(offset, 3)} `;
  const by = rule === null ? confidence : `${rule}, ${confidence}`;
  const instead = kind !== 'not-made' ? []
    : [`    the guest finds it ${insteadOffset === null ? 'nowhere we know of' : `at ${hex(insteadOffset, 3)}`}`];
  return [`  ${paint('yellow', `! ${at}${kind}: ${says}`)} (${by})`, ...instead];
}
