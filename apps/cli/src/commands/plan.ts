import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { type Capture, type SriovRole, survey, writeLspciText } from '@cadastre/config-space';
import {
  defaultRegisters, Evidence, explainAlternative, explainCaution, explainReason, isSyntheticName, knownQuirks,
  layoutDocument, type LayoutRequest, type NotPlaced, personaPlaces, type PlannedLayout, planWhatFits, readPlanPolicy,
  syntheticCapabilities, type SyntheticName,
} from '@cadastre/device-layout';
import { CommandFailed, exitCode } from '../exit-code.js';
import { messageOf } from '../system-error.js';
import { hex, print, printJson, say, table } from '../terminal.js';
import { pasidLog2Of, roleOf } from './options.js';
import { readCaptures } from './read-captures.js';
import { oneCapture, readLayout, readText, shownLayout } from './read-layout.js';

interface PlanOptions {
  readonly want: readonly SyntheticName[];
  readonly policy?: string;
  readonly persona?: string;
  readonly evidence?: readonly string[];
  readonly function?: string;
  readonly role: SriovRole;
  readonly maxPasidLog2: number;
  readonly exec?: boolean;
  readonly priv?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

export function addPlan(program: Command): void {
  program.command('plan')
    .description('decide where capabilities go in a function, and what a guest then reads; nothing is recorded')
    .argument('<dump>', 'file to read; - reads standard input')
    .option('--want <names>', `capabilities: ${Object.keys(syntheticCapabilities).join(', ')}`, namesOf, ['pasid'])
    .option('--policy <file>', 'strategies, pinned offsets, ranges and operations, as JSON')
    .option('--persona <layout>', 'a layout document whose places are followed')
    .option('--evidence <files...>', 'further captures of the same model: bytes in use there are not free')
    .option('--function <address>', 'which function of the dump')
    .option('--role <role>', 'pf, vf or none', roleOf, 'none')
    .option('--max-pasid-log2 <bits>', 'PASID width of the IOMMU', pasidLog2Of, 20)
    .option('--exec', 'the IOMMU has execute permission for PASIDs')
    .option('--priv', 'the IOMMU has privileged mode for PASIDs')
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

function plan(dump: string, options: PlanOptions): void {
  const capture = oneCapture(dump, options.function);
  const surveyed = survey(capture.space, options.role);
  const request = requestOf(surveyed, options);
  const { planned, notPlaced } = planWhatFits(request);
  const layout = planned && layoutDocument(surveyed, planned.layout, planned.guestConfigSpace);
  if (layout && options.out !== undefined) write(options.out, `${JSON.stringify(shownLayout(layout), null, 2)}\n`);
  if (options.json) printJson({ ...planJson(capture, planned, notPlaced), layout: layout && shownLayout(layout) });
  else show(capture, planned, notPlaced);
  if (notPlaced.length > 0 || !planned) {
    const names = notPlaced.map(({ name }) => name).join(', ');
    throw new CommandFailed(exitCode.negative, names === '' ? 'no layout' : `not placed: ${names}`);
  }
}

function requestOf(surveyed: LayoutRequest['survey'], options: PlanOptions): LayoutRequest {
  const policy = readPlanPolicy(options.policy === undefined ? undefined : policyIn(options.policy), options.want);
  if (!policy.ok) {
    const { pointer, problem } = policy.refusal;
    throw new CommandFailed(exitCode.negative, `${options.policy}: ${pointer || 'the policy'} ${problem}`);
  }
  const iommu = {
    maxPasidLog2: options.maxPasidLog2, exec: options.exec === true, priv: options.priv === true, atsSupported: true };
  const captures = (options.evidence ?? []).flatMap((file) => readCaptures(file).map((one) =>
    ({ source: `${file} ${one.address}`, survey: survey(one.space, options.role) })));
  return {
    survey: surveyed, physicalFunction: null, ...policy.value, quirks: knownQuirks,
    wanted: options.want.map((name) => ({ name, registers: defaultRegisters(name, surveyed, null, iommu) })),
    ...(captures.length > 0 ? { evidence: Evidence.of(captures) } : {}),
    ...(options.persona === undefined ? {} : { persona: personaPlaces({
      name: options.persona, version: 1, layout: readLayout(options.persona) }) }),
  };
}

function policyIn(file: string): unknown {
  try {
    return JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new CommandFailed(exitCode.negative, `${file} is not JSON`);
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

function planJson({ address, title }: Capture, planned: PlannedLayout | null, notPlaced: readonly NotPlaced[]): object {
  return {
    schema: 'cadastre.plan/1',
    function: { address, title },
    placements: planned?.layout.placements.map((one) => ({
      ...one, explanation: { reason: explainReason(one.reason), cautions: one.cautions.map(explainCaution),
        refused: one.refused.map(explainAlternative) } })) ?? [],
    refusals: notPlaced.map(({ name, refusal, explanation }) => ({ ...refusal, name, explanation })),
    layoutDigest: planned?.layoutDigest ?? null,
    guestConfigSpace: planned && {
      digest: planned.guestConfigSpaceDigest,
      lspci: writeLspciText([{ address, title: `guest view: ${title}`.trimEnd(), space: planned.guestConfigSpace }]),
    },
  };
}

function show({ address }: Capture, planned: PlannedLayout | null, notPlaced: readonly NotPlaced[]): void {
  const placements = planned?.layout.placements ?? [];
  if (placements.length > 0) {
    print(table(['capability', 'offset', 'length', 'by', 'why'], placements.map((one) =>
      [one.name, hex(one.offset, 3), String(one.length), one.strategy, explainReason(one.reason)])));
  } else print(`${address}: nothing placed`);
  for (const { name, cautions } of placements) {
    for (const caution of cautions) say(`${name}: ${explainCaution(caution)}`);
  }
  for (const { explanation } of notPlaced) print(explanation);
}
