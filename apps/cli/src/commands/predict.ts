import { type Command, Option } from 'commander';
import { type Capture, type HostKernel, writeLspciText } from '@cadastre/config-space';
import {
  type GuestPort, guestPorts, type GuestPrediction, guestView, type HostFacts, impliedPasid, impliedPasidSays,
  type Knobs, type PasidFacts, type VmmProfile,
} from '@cadastre/vmm-profiles';
import { CommandFailed, exitCode } from '../exit-code.js';
import { hex, paint, print, printJson, say } from '../terminal.js';
import { flavourOf, kernelReleaseOf, pasidLog2Of } from './options.js';
import { readCaptures } from './read-captures.js';
import { profileOf, settingOf } from './vmm-options.js';

interface PredictOptions {
  readonly vmm: VmmProfile;
  readonly kernel: string;
  readonly flavour: HostKernel['flavour'];
  readonly port: GuestPort;
  readonly knob?: Readonly<Record<string, string>>;
  readonly pasidWidth?: number;
  readonly json?: boolean;
  readonly lspci?: boolean;
}

export function addPredict(program: Command): void {
  program.command('predict')
    .description('predict what a guest reads of a function, by VMM and host kernel')
    .argument('<dump>', 'the physical config space: lspci text, hex digits or raw bytes; - reads standard input')
    .requiredOption('--vmm <name>', 'VMM and version, for example qemu-11.0', profileOf)
    .option('--kernel <release>', 'host kernel, as uname -r says it', kernelReleaseOf, '7.2')
    .option('--flavour <name>', 'tree of the host kernel: upstream or nvidia', flavourOf, 'upstream')
    .addOption(new Option('--port <kind>', 'where the guest has it').choices([...guestPorts]).default('root-port'))
    .option('--knob <name=value>', 'a setting of the VMM; may be repeated', settingOf)
    .option('--pasid-width <bits>', 'PASID bits the host IOMMU reports through iommufd', pasidLog2Of)
    .option('--json', 'print as JSON (schema cadastre.predict/1)')
    .option('--lspci', 'print the guest\'s config space as lspci -xxxx text')
    .action((dump: string, options: PredictOptions) => {
      const assumed = impliedBy(options) ? [impliedPasidSays] : [];
      for (const one of assumed) say(`${one}; --pasid-width tells`);
      const functions = readCaptures(dump).map((capture) => ({ capture, prediction: predictOne(capture, options) }));
      if (options.json) {
        printJson({ schema: 'cadastre.predict/1', assumed, functions: functions.map(predictedJson) });
      } else if (options.lspci) {
        const shown = functions.flatMap(({ capture, prediction: { space } }) => space ? [{ ...capture, space }] : []);
        if (shown.length > 0) print(writeLspciText(shown).trimEnd());
      } else {
        print(functions.map(predictedText).join('\n\n'));
        say('V: read or observed; D: derived; U: not verified');
      }
      const failed = functions.filter(({ prediction }) => prediction.outcome.kind !== 'starts');
      if (failed.length > 0) {
        throw new CommandFailed(exitCode.negative, `${failed.length} of ${functions.length} would not start`);
      }
    });
}

/** What is taken for granted where nobody told what the IOMMU has. */
function impliedBy({ pasidWidth, vmm, knob = {} }: PredictOptions): PasidFacts | null {
  return pasidWidth === undefined ? impliedPasid(vmm, knob) : null;
}

/** Execute and privileged are what an IOMMU of any size reports today; the width is what differs. */
function predictOne({ space }: Capture, options: PredictOptions): GuestPrediction {
  const { pasidWidth = 0 } = options;
  const host: HostFacts = {
    kernel: { release: options.kernel, flavour: options.flavour },
    pasid: pasidWidth === 0 ? impliedBy(options) : { widthBits: pasidWidth, execute: true, privileged: true },
  };
  const knobs: Knobs = { port: options.port, settings: options.knob ?? {} };
  return guestView(space, options.vmm, knobs, host);
}

interface Predicted {
  readonly capture: Capture;
  readonly prediction: GuestPrediction;
}

function predictedJson({ capture, prediction }: Predicted): object {
  const { space, vfio, ...rest } = prediction;
  return {
    address: capture.address, title: capture.title, ...rest,
    vfioConfigSpace: Buffer.from(vfio.toBytes()).toString('base64'),
    guestConfigSpace: space === null ? null : Buffer.from(space.toBytes()).toString('base64'),
  };
}

function predictedText({ capture, prediction }: Predicted): string {
  const { profile, outcome, chain, findings, migration, writeThrough, space } = prediction;
  const end = outcome.kind === 'starts' ? `starts, ${space?.size ?? 0} bytes`
    : `${outcome.kind} (${outcome.rule}, ${outcome.confidence}): ${outcome.says}`;
  const list = (name: string, items: GuestPrediction['chain']['extended']): string =>
    `  ${name.padEnd(9)} ${items.map(({ id, offset }) => `${hex(id)}@${offset.toString(16)}`).join(' > ') || 'none'}`;
  const made = writeThrough.filter(({ underSynthetic }) => underSynthetic).map(({ offset, length, rule, confidence }) =>
    `  ${paint('yellow', `! writes to ${hex(offset)}..${hex(offset + length - 1)} reach the hardware`
      + ` (${rule}, ${confidence})`)}`);
  return [
    `${paint('bold', capture.address)} ${capture.title}`.trimEnd(),
    `  ${paint('cyan', `${profile.name}/${profile.revision}`)} ${end}`,
    list('standard', chain.standard),
    list('extended', chain.extended),
    ...findings.map(({ rule, confidence, says }) => `  ${paint('yellow', `! ${says}`)} (${rule}, ${confidence})`),
    ...made,
    `  migration ${migration.says}${migration.rule === null ? '' : ` (${migration.rule}, ${migration.confidence})`}`,
  ].join('\n');
}
