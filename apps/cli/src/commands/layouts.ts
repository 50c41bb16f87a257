import { type Command } from 'commander';
import { survey } from '@cadastre/config-space';
import {
  baseline, type Blamed, compareLayouts, explainBaselineRefusal, explainVerdict, fit, knownQuirks,
  type LayoutDifference, migrationVerdict, type Verdict,
} from '@cadastre/device-layout';
import { obedientVmm, type VmmProfile, vmmAbilities } from '@cadastre/vmm-profiles';
import { CommandFailed, exitCode } from '../exit-code.js';
import { hex, print, printJson } from '../terminal.js';
import {
  functionIn, type FunctionOptions, iommuOf, type IommuOptions, withFunction, withIommu,
} from './function-options.js';
import { readCaptures } from './read-captures.js';
import { personaIn, readLayout, readLayoutOrDump, shownLayout } from './read-layout.js';
import { profileOf } from './vmm-options.js';

interface DestinationOptions extends FunctionOptions, IommuOptions {
  readonly json?: boolean;
}

export function addLayouts(program: Command): void {
  program.command('diff')
    .description('compare two layouts or dumps; ends with 1 when they differ')
    .argument('<a>', 'layout document or dump; - reads standard input')
    .argument('<b>', 'layout document or dump; - reads standard input')
    .option('--function <address>', 'which function of the dumps')
    .option('--function-b <address>', 'which function of the second, when it has another address there')
    .option('--json', 'print as JSON (schema cadastre.diff/1)')
    .action(diff);
  withIommu(withFunction(program.command('verdict')
    .description('whether the function of a dump can show a layout; ends with 1 when it cannot')
    .argument('<layout>', 'layout document; - reads standard input')
    .argument('<dump>', 'dump of the destination; - reads standard input')))
    .option('--vmm <name>', 'the VMM there, for example qemu-11.0; generic, which obeys documents, when left out',
      profileOf)
    .option('--json', 'print as JSON (schema cadastre.verdict/1)')
    .action(verdict);
  const persona = program.command('persona').description('layouts that other functions can show');
  withIommu(withFunction(persona.command('fit')
    .description('whether a function can wear a layout, and how; ends with 1 when it cannot')
    .argument('<layout>', 'layout document of the persona; - reads standard input')
    .argument('<dump>', 'dump of the function; - reads standard input')))
    .option('--json', 'print as JSON (schema cadastre.fit/1)')
    .action(wear);
  persona.command('baseline')
    .description('the greatest layout that all functions of some dumps can show')
    .argument('<dumps...>', 'files to read')
    .option('--same-places', 'leave out what some have elsewhere: for VMMs that move nothing')
    .option('--json', 'print as JSON (schema cadastre.baseline/1)')
    .action(shareBaseline);
}

interface DiffOptions {
  readonly function?: string;
  readonly functionB?: string;
  readonly json?: boolean;
}

function diff(a: string, b: string, { function: address, functionB = address, json }: DiffOptions): void {
  const differences = compareLayouts(readLayoutOrDump(a, { address, option: '--function' }),
    readLayoutOrDump(b, { address: functionB, option: '--function-b' }));
  if (json) printJson({ schema: 'cadastre.diff/1', same: differences.length === 0, differences });
  else for (const one of differences) print(differenceLine(one));
  if (differences.length === 0) return;
  throw new CommandFailed(exitCode.negative, counted(differences.length, 'difference'));
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function differenceLine(one: LayoutDifference): string {
  switch (one.kind) {
    case 'identity': {
      const digits = one.field === 'classCode' ? 6 : 0;
      return `${one.field}: ${shown(one.a, digits)} | ${shown(one.b, digits)}`;
    }
    case 'config-size': return `config size: ${one.a} | ${one.b}`;
    case 'capability-gone': return `${one.name}: ${hex(one.offset, 3)} | -`;
    case 'capability-new': return `${one.name}: - | ${hex(one.offset, 3)}`;
    case 'capability-moved': return `${one.name}: ${hex(one.a, 3)} | ${hex(one.b, 3)}`;
    case 'capability-differs': return `${one.name}@${hex(one.offset, 3)} ${one.member}: ${one.a} | ${one.b}`;
    case 'list-order':
      return `${one.space} list: ${offsets(one.a)} | ${offsets(one.b)}`;
    case 'bytes': return `${hex(one.offset, 3)} (${one.compare}): ${one.a} | ${one.b}`;
    case 'behaviour':
      return `${hex(one.offset, 3)} +${one.length}: ${one.a.compare}, ${one.a.write} | `
        + `${one.b.compare}, ${one.b.write}`;
  }
}

function offsets(given: readonly number[]): string {
  return given.map((at) => hex(at, 3)).join(' ');
}

function shown(value: number | null, digits: number): string {
  return value === null ? '-' : hex(value, digits);
}

function verdict(layoutFile: string, dump: string, options: DestinationOptions & { vmm?: VmmProfile }): void {
  const { survey: destination, physicalFunction } = functionIn(dump, options);
  const vmm = options.vmm ? vmmAbilities(options.vmm) : obedientVmm;
  const given = migrationVerdict(readLayout(layoutFile), {
    survey: destination, iommu: iommuOf(options), vmm, physicalFunction: physicalFunction?.survey ?? null,
    quirks: knownQuirks });
  if (options.json) {
    const explanation = explainVerdict(given);
    printJson({ schema: 'cadastre.verdict/1', vmm: vmm.profile, revision: vmm.revision, ...given, explanation });
  } else print(verdictLines(given).join('\n'));
  if (given.verdict === 'cannot') throw new CommandFailed(exitCode.negative, counted(given.reasons.length, 'reason'));
}

/** Ranges of bytes told one by one. Between two models there are hundreds, and the first ones tell that. */
const byteRangesShownMax = 8;

function verdictLines(given: Verdict): readonly string[] {
  const { reasons, differences } = given;
  const further = reasons.filter(({ kind }) => kind === 'bytes-differ').slice(byteRangesShownMax);
  const left = further.length + Math.max(0, differences.length - byteRangesShownMax);
  const lines = explainVerdict({ ...given, reasons: reasons.filter((one) => !further.includes(one)),
    differences: differences.slice(0, byteRangesShownMax) });
  return left === 0 ? lines : [...lines, `${counted(left, 'further range')} of bytes differ; --json tells all`];
}

function wear(layoutFile: string, dump: string, options: DestinationOptions): void {
  const { survey: wearer, physicalFunction } = functionIn(dump, options);
  const { verdict: given, worn } = fit(personaIn(layoutFile), { survey: wearer, iommu: iommuOf(options),
    physicalFunction: physicalFunction?.survey ?? null, quirks: knownQuirks });
  if (options.json) {
    const explanation = explainVerdict(given);
    printJson({ schema: 'cadastre.fit/1', fits: worn !== null, verdict: { ...given, explanation },
      layout: worn && shownLayout(worn.layout) });
  } else print([worn ? 'fits' : 'does not fit', ...verdictLines(given).slice(1)].join('\n'));
  if (!worn) throw new CommandFailed(exitCode.negative, counted(given.reasons.length, 'reason'));
}

function shareBaseline(
  files: readonly string[], { json, samePlaces }: { json?: boolean; samePlaces?: boolean },
): void {
  const functions = files.flatMap((file) => readCaptures(file).map((one) =>
    ({ source: `${file} ${one.address}`, survey: survey(one.space) })));
  const shared = baseline(functions, { relocations: samePlaces !== true });
  if (!shared.ok) {
    if (json) printJson({ schema: 'cadastre.baseline/1', refusal: shared.refusal });
    throw new CommandFailed(exitCode.negative, `no baseline: ${explainBaselineRefusal(shared.refusal)}`);
  }
  const { layout, dropped, relocated, narrowed, replaced } = shared.value;
  if (json) {
    printJson({ schema: 'cadastre.baseline/1', layout: shownLayout(layout), dropped, relocated, narrowed, replaced });
    return;
  }
  const names = layout.capabilities.map(({ name }) => name).join(', ');
  print(`${counted(functions.length, 'function')} share ${names || 'a header'}`);
  for (const one of dropped) print(`${one.name}@${hex(one.offset, 3)}: ${one.why} in ${named(one)}`);
  for (const one of relocated) print(`${one.name}@${hex(one.offset, 3)}: elsewhere in ${named(one)}: a VMM moves it`);
  for (const one of narrowed) print(`${one.name} ${one.field}: ${one.from} -> ${one.to}, because of ${named(one)}`);
  for (const one of replaced) print(`${one.field} differs in ${named(one)}`);
}

function named({ because, count }: Blamed): string {
  const more = count - because.length;
  return `${because.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
