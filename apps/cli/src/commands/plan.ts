import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Capture, survey, writeLspciText } from '@cadastre/config-space';
import {
  Evidence, explainAlternative, explainCaution, explainReason, explainRefusal, type FurtherCapture, type IommuFacts,
  isSameModel, isSyntheticName, knownQuirks, layoutDocument, type LayoutRequest, modelName, personaPlaces,
  type PlannedLayout, planWhatFits, readPlanPolicy, registersNamed, syntheticCapabilities, type SyntheticName,
  type SyntheticRegisters, type WantedCapability,
} from '@cadastre/device-layout';
import {
  type CapabilityRequest, explainDecideRefusal, grantCapability, grantedAsRequested, wantedBy,
} from '@cadastre/lifecycle';
import { CommandFailed, exitCode } from '../exit-code.js';
import { messageOf } from '../system-error.js';
import { hex, print, printJson, say, table } from '../terminal.js';
import {
  type DumpedFunction, functionIn, type FunctionOptions, iommuOf, type IommuOptions, withFunction, withIommu,
} from './function-options.js';
import { readCaptures } from './read-captures.js';
import { readText } from './read-input.js';
import { personaIn, shownLayout } from './read-layout.js';

type Registers = Readonly<Partial<Record<SyntheticName, SyntheticRegisters>>>;

interface PlanOptions extends FunctionOptions, IommuOptions {
  readonly want: readonly SyntheticName[];
  readonly registers?: Registers;
  readonly policy?: string;
  readonly persona?: string;
  readonly evidence?: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

/** What an attach would refuse; `name` is null where it is the plan as a whole. */
interface RefusedPart {
  readonly name: SyntheticName | null;
  readonly refusal: { readonly kind: string };
  readonly explanation: string;
}

/** Most servers of today have so many bits. */
const pasidLog2Default = 20;

export function addPlan(program: Command): void {
  const command = program.command('plan')
    .description('decide where capabilities go in a function, and what a guest then reads; nothing is recorded')
    .argument('<dump>', 'file to read; - reads standard input')
    .addOption(new Option('--want <names>', `capabilities: ${Object.keys(syntheticCapabilities).join(', ')}`)
      .argParser(namesOf).default(['pasid'], 'pasid'))
    .option('--registers <name.field=value>', 'content of dsn, dvsec, nvidia-clique or vmd-shadow, for example '
      + 'dsn.serialNumber=0x0123456789abcdef; may be repeated', registersOf)
    .option('--policy <file>', 'strategies, pinned offsets, ranges and operations, as JSON')
    .option('--persona <layout>', 'a layout document whose places are followed')
    .option('--evidence <files...>', 'further captures of the same model: bytes in use there are not free');
  withIommu(withFunction(command), pasidLog2Default)
    .option('--out <file>', 'write the layout document (cadastre.layout/1)')
    .option('--json', 'print as JSON (schema cadastre.plan/1)')
    .action((dump: string, options: PlanOptions) => plan(dump, options));
}

function namesOf(given: string): readonly SyntheticName[] {
  return given.split(',').filter((one) => one !== '').map((one) => {
    if (isSyntheticName(one)) return one;
    throw new InvalidArgumentError(`Capabilities are ${Object.keys(syntheticCapabilities).join(', ')}.`);
  });
}

/** `NAME.FIELD=VALUE`, collected over every use of the option. */
function registersOf(given: string, before: Registers = {}): Registers {
  const [, name = '', field = '', value = ''] = /^([a-z-]+)\.(\w+)=(0x[0-9a-fA-F]{1,16}|\d{1,10})$/.exec(given) ?? [];
  const filled = grantedAsRequested.find((one) => one === name);
  if (filled) return { ...before, [filled]: { ...before[filled], ...registersNamed(filled, field, BigInt(value)) } };
  throw new InvalidArgumentError(`Registers are NAME.FIELD=VALUE, of ${grantedAsRequested.join(', ')}.`);
}

function plan(dump: string, options: PlanOptions): void {
  const subject = functionIn(dump, options);
  const { planned, refused } = whatFits(subject, options);
  const layout = planned && layoutDocument(subject.survey, planned.layout, planned.guestConfigSpace);
  if (layout && options.out !== undefined) write(options.out, `${JSON.stringify(shownLayout(layout), null, 2)}\n`);
  const { capture } = subject;
  if (options.json) printJson({ ...planJson(capture, planned, refused), layout: layout && shownLayout(layout) });
  else show(capture, planned, refused);
  if (refused.length === 0) return;
  const names = refused.flatMap(({ name }) => name ?? []);
  throw new CommandFailed(exitCode.negative, names.length === 0 ? 'no layout' : `refused: ${names.join(', ')}`);
}

/** What an attach would be granted, placed as far as it can be; the rest is refused part by part. */
function whatFits(
  { survey: surveyed, physicalFunction }: DumpedFunction, options: PlanOptions,
): { readonly planned: PlannedLayout | null; readonly refused: readonly RefusedPart[] } {
  const refused: RefusedPart[] = [];
  const wanted: WantedCapability[] = [];
  const iommu: IommuFacts | null = iommuOf(options);
  if (!iommu) throw new Error('the PASID width has a default');
  for (const request of requestsOf(options)) {
    const granted = grantCapability(request, iommu, surveyed, physicalFunction);
    if (granted.ok) wanted.push(wantedBy(granted.value));
    else {
      const { refusal } = granted;
      refused.push({ name: request.name, refusal, explanation: explainDecideRefusal(refusal) });
    }
  }
  const request = { ...groundOf(surveyed, options), physicalFunction, wanted };
  const { planned, notPlaced, refusal } = planWhatFits(request);
  refused.push(...notPlaced);
  if (refusal && notPlaced.length === 0) refused.push({ name: null, refusal, explanation: explainRefusal(refusal) });
  const place = ({ name }: RefusedPart): number => options.want.findIndex((one) => one === name);
  return { planned, refused: refused.sort((a, b) => place(a) - place(b)) };
}

function requestsOf({ want, registers = {} }: PlanOptions): readonly CapabilityRequest[] {
  const unwanted = Object.keys(registers).find((name) => want.every((one) => one !== name));
  if (unwanted !== undefined) {
    throw new CommandFailed(exitCode.usage, `registers are given for ${unwanted}, which is not wanted`);
  }
  return want.map((name): CapabilityRequest => {
    if (name === 'pasid') return { name, widthBits: null, exec: null, priv: null };
    const filled = grantedAsRequested.find((one) => one === name);
    return filled ? { name: filled, registers: registers[filled] ?? {} } : { name } as CapabilityRequest;
  });
}

function groundOf(
  surveyed: LayoutRequest['survey'], options: PlanOptions,
): Omit<LayoutRequest, 'wanted' | 'physicalFunction'> {
  const policy = readPlanPolicy(options.policy === undefined ? undefined : policyIn(options.policy), options.want);
  if (!policy.ok) {
    const { pointer, problem } = policy.refusal;
    throw new CommandFailed(exitCode.usage, `${options.policy}: ${pointer || 'the policy'} ${problem}`);
  }
  const captures = (options.evidence ?? []).flatMap((file) => capturesLike(surveyed, file));
  return {
    survey: surveyed, ...policy.value, quirks: knownQuirks,
    ...(captures.length > 0 ? { evidence: Evidence.of(captures) } : {}),
    ...(options.persona === undefined ? {} : { persona: personaPlaces(personaIn(options.persona)) }),
  };
}

/** The captures of a file that are of the model; others tell nothing about it, and are named. */
function capturesLike({ header }: LayoutRequest['survey'], file: string): readonly FurtherCapture[] {
  return readCaptures(file).flatMap(({ address, space }) => {
    const further = { source: `${file} ${address}`, survey: survey(space) };
    if (isSameModel(further.survey.header, header)) return [further];
    say(`${further.source} is ${modelName(further.survey.header)}, not ${modelName(header)}: no evidence, left out`);
    return [];
  });
}

function policyIn(file: string): unknown {
  try {
    return JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new CommandFailed(exitCode.usage, `${file} is not JSON: ${error.message}`);
    throw error;
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CommandFailed(exitCode.io, `cannot write ${file}: ${messageOf(error)}`);
  }
}

function planJson({ address, title }: Capture, planned: PlannedLayout | null, refused: readonly RefusedPart[]): object {
  return {
    schema: 'cadastre.plan/1',
    function: { address, title },
    placements: planned?.layout.placements.map((one) => ({
      ...one, explanation: { reason: explainReason(one.reason), cautions: one.cautions.map(explainCaution),
        refused: one.refused.map(explainAlternative) } })) ?? [],
    refusals: refused.map(({ name, refusal, explanation }) => ({ ...refusal, name, explanation })),
    layoutDigest: planned?.layoutDigest ?? null,
    guestConfigSpace: planned && {
      digest: planned.guestConfigSpaceDigest,
      lspci: writeLspciText([{ address, title: `guest view: ${title}`.trimEnd(), space: planned.guestConfigSpace }]),
    },
  };
}

function show({ address }: Capture, planned: PlannedLayout | null, refused: readonly RefusedPart[]): void {
  const placements = planned?.layout.placements ?? [];
  if (placements.length > 0) {
    print(table(['capability', 'offset', 'length', 'by', 'why'], placements.map((one) =>
      [one.name, hex(one.offset, 3), String(one.length), one.strategy, explainReason(one.reason)])));
  } else print(`${address}: nothing placed`);
  for (const { name, cautions } of placements) {
    for (const caution of cautions) say(`${name}: ${explainCaution(caution)}`);
  }
  for (const { name, explanation } of refused) print(name === null ? explanation : `${name} refused: ${explanation}`);
}
