import { type Command } from 'commander';
import { type Capture, writeLspciText } from '@cadastre/config-space';
import { vfioFunctionOf } from '@cadastre/device-layout';
import {
  type GuestPrediction, guestView, impliedPasid, impliedPasidSays, type Knobs, type PasidFacts,
} from '@cadastre/vmm-profiles';
import { CommandFailed, exitCode } from '../exit-code.js';
import { hex, paint, print, printJson, say } from '../terminal.js';
import { assumedOf, familyOf, type HostOptions, iommuPasidOf, kernelOf, withHost } from './host-options.js';
import { readCaptures } from './read-captures.js';

interface PredictOptions extends HostOptions {
  readonly viommu: boolean;
  readonly interrupt: boolean;
  readonly json?: boolean;
  readonly lspci?: boolean;
}

/** Enough to see where; `--json` has them all. */
const rangesShownMax = 8;

export function addPredict(program: Command): void {
  withHost(program.command('predict')
    .description('predict what a guest reads of a function, by VMM and host kernel')
    .argument('<dump>', 'the physical config space: lspci text, hex digits or raw bytes; - reads standard input'))
    .option('--no-viommu', 'the guest has no IOMMU that offers PASID')
    .option('--no-interrupt', 'the host gave the function no interrupt: its pin reads 0')
    .option('--json', 'print as JSON (schema cadastre.predict/1)')
    .option('--lspci', 'print the guest\'s config space as lspci -xxxx text')
    .action((dump: string, options: PredictOptions) => {
      const assumed = [...assumedOf(options), ...(impliedBy(options) ? [impliedPasidSays] : [])];
      for (const one of assumedOf(options)) say(one);
      if (impliedBy(options)) say(`${impliedPasidSays}; --pasid-width tells`);
      const functions = readCaptures(dump).map((capture) => ({ capture, prediction: predictOne(capture, options) }));
      if (options.json) {
        printJson({ schema: 'cadastre.predict/1', assumed, ...askedJson(options),
          functions: functions.map(predictedJson) });
      } else if (options.lspci) {
        const shown = functions.flatMap(({ capture, prediction: { space } }) => space ? [{ ...capture, space }] : []);
        if (shown.length > 0) print(writeLspciText(shown).trimEnd());
      } else {
        print(functions.map((one) => predictedText(one, options)).join('\n\n'));
        say('V: read or observed; D: derived; U: not verified');
      }
      const failed = functions.filter(({ prediction }) => prediction.outcome.kind !== 'starts');
      if (failed.length > 0) {
        throw new CommandFailed(exitCode.negative, `${failed.length} of ${functions.length} would not start`);
      }
    });
}

/** What is taken for granted where nobody told what the IOMMU has. */
function impliedBy({ pasidWidth, viommu, vmm, knob = {} }: PredictOptions): PasidFacts | null {
  return pasidWidth === undefined && viommu ? impliedPasid(vmm.profile, knob) : null;
}

function knobsOf({ port, viommu, knob }: PredictOptions): Knobs {
  return { port, viommuPasid: viommu, settings: knob ?? {} };
}

function predictOne({ space }: Capture, options: PredictOptions): GuestPrediction {
  const { role, family } = familyOf(space, options);
  return guestView(space, options.vmm.profile, knobsOf(options), {
    kernel: kernelOf(options), pasid: iommuPasidOf(options) ?? impliedBy(options),
    about: { ...vfioFunctionOf(role, family), hasInterrupt: options.interrupt },
    ...(options.barSizes ? { barSizesBytes: options.barSizes } : {}),
  });
}

/** What it was predicted with: without it nobody can predict it again. */
function askedJson(options: PredictOptions): object {
  return {
    kernel: kernelOf(options), knobs: knobsOf(options), pasid: iommuPasidOf(options) ?? impliedBy(options),
    hasInterrupt: options.interrupt, barSizesBytes: options.barSizes ?? null,
  };
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

function predictedText({ capture, prediction }: Predicted, { kernel, flavour, port, knob }: PredictOptions): string {
  const { profile, outcome, chain, findings, migration, failureMode, writeThrough, space } = prediction;
  const end = outcome.kind === 'starts' ? `starts, ${space?.size ?? 0} bytes`
    : `${outcome.kind} (${outcome.rule}, ${outcome.confidence}): ${outcome.says}`;
  const set = Object.entries(knob ?? {}).map(([name, value]) => ` ${name}=${value}`).join('');
  return [
    `${paint('bold', capture.address)} ${capture.title}`.trimEnd(),
    `  ${paint('cyan', `${profile.name}/${profile.revision}`)} ${end}`,
    `  on        Linux ${kernel} ${flavour}, ${port}${set}`,
    listText('standard', chain.standard),
    listText('extended', chain.extended),
    ...findings.map(findingText),
    ...writesText(writeThrough),
    `  failures  ${failures[failureMode]}`,
    `  migration ${migration.says}${migration.rule === null ? '' : ` (${migration.rule}, ${migration.confidence})`}`,
  ].join('\n');
}

function listText(name: string, items: GuestPrediction['chain']['extended']): string {
  const shown = items.map(({ id, offset }) => `${hex(id)}@${offset.toString(16)}`).join(' > ');
  return `  ${name.padEnd(9)} ${shown || 'none'}`;
}

function findingText({ rule, confidence, says, offset }: GuestPrediction['findings'][number]): string {
  const at = offset === null || says.includes(hex(offset)) ? '' : ` at ${hex(offset, 2)}`;
  return `  ${paint('yellow', `! ${says}${at}`)} (${rule}, ${confidence})`;
}

/** What becomes of a capability that cannot be made. */
const failures: { readonly [M in GuestPrediction['failureMode']]: string } = {
  silent: 'silent: the VM starts without the capability',
  refused: 'refused: the device is not added',
  unknown: 'not known',
  none: 'none: it makes no extended capability',
};

/** Writes under what the VMM made (Q20) one by one; raw bytes (K2) as the ranges they are. */
function writesText(writeThrough: GuestPrediction['writeThrough']): readonly string[] {
  const under = writeThrough.filter(({ underSynthetic }) => underSynthetic);
  const raw = writeThrough.filter(({ underSynthetic }) => !underSynthetic);
  const range = ({ offset, length }: { readonly offset: number; readonly length: number }): string =>
    `${hex(offset)}..${hex(offset + length - 1)}`;
  const [first] = raw;
  const more = raw.length > rangesShownMax ? ` and ${raw.length - rangesShownMax} more` : '';
  return [
    ...under.map((one) => `  ${paint('yellow', `! writes to ${range(one)} reach the hardware`)}`
      + ` (${one.rule}, ${one.confidence})`),
    ...(first === undefined ? [] : [`  raw       writes reach the hardware at ${
      raw.slice(0, rangesShownMax).map(range).join(', ')}${more} (${first.rule}, ${first.confidence})`]),
  ];
}
