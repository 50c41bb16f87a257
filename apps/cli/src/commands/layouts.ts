import { type Command } from 'commander';
import { survey } from '@cadastre/config-space';
import {
  baseline, compareLayouts, explainBaselineRefusal, explainByte, explainVerdict, fit, type IommuFacts,
  type LayoutDifference, migrationVerdict,
} from '@cadastre/device-layout';
import { obedientVmm, type VmmProfile, vmmAbilities } from '@cadastre/vmm-profiles';
import { CommandFailed, exitCode } from '../exit-code.js';
import { hex, print, printJson } from '../terminal.js';
import { offsetOf, pasidLog2Of } from './options.js';
import { readCaptures } from './read-captures.js';
import { oneCapture, readLayout, readLayoutOrDump, shownLayout } from './read-layout.js';
import { profileOf } from './vmm-options.js';

interface HostOptions {
  readonly function?: string;
  readonly maxPasidLog2?: number;
  readonly exec?: boolean;
  readonly priv?: boolean;
  readonly json?: boolean;
}

/** Without a PASID width nothing is known of the IOMMU, and the verdict says so. */
function iommuOf({ maxPasidLog2, exec, priv }: HostOptions): IommuFacts | null {
  if (maxPasidLog2 === undefined) return null;
  return { maxPasidLog2, exec: exec === true, priv: priv === true, atsSupported: true };
}

function withHost(command: Command): Command {
  return command.option('--function <address>', 'which function of the dump')
    .option('--max-pasid-log2 <bits>', 'PASID width of the destination IOMMU', pasidLog2Of)
    .option('--exec', 'it has execute permission for PASIDs')
    .option('--priv', 'it has privileged mode for PASIDs')
    .option('--json', 'print as JSON');
}

export function addLayouts(program: Command): void {
  program.command('diff')
    .description('compare two layouts or dumps; ends with 1 when they differ')
    .argument('<a>', 'layout document or dump').argument('<b>', 'layout document or dump')
    .option('--json', 'print as JSON (schema cadastre.diff/1)')
    .action(diff);
  withHost(program.command('verdict')
    .description('whether the function of a dump can show a layout; ends with 1 when it cannot')
    .argument('<layout>', 'layout document').argument('<dump>', 'dump of the destination'))
    .option('--vmm <name>', 'the VMM there, for example qemu-11.0; generic, which obeys documents, when left out',
      profileOf)
    .action(verdict);
  program.command('explain')
    .description('who owns a byte of a layout, and what put it there')
    .argument('<layout>', 'layout document')
    .requiredOption('--byte <offset>', 'offset of the byte', offsetOf)
    .option('--json', 'print as JSON (schema cadastre.explain/1)')
    .action(explain);
  const persona = program.command('persona').description('layouts that other functions can show');
  withHost(persona.command('fit')
    .description('whether a function can wear a layout, and how; ends with 1 when it cannot')
    .argument('<layout>', 'layout document of the persona').argument('<dump>', 'dump of the function'))
    .action(wear);
  persona.command('baseline')
    .description('the greatest layout that all functions of some dumps can show')
    .argument('<dumps...>', 'files to read')
    .option('--json', 'print as JSON (schema cadastre.baseline/1)')
    .action(shareBaseline);
}

function diff(a: string, b: string, { json }: { json?: boolean }): void {
  const differences = compareLayouts(readLayoutOrDump(a), readLayoutOrDump(b));
  if (json) printJson({ schema: 'cadastre.diff/1', same: differences.length === 0, differences });
  else for (const one of differences) print(differenceLine(one));
  if (differences.length > 0) throw new CommandFailed(exitCode.negative, `${differences.length} differences`);
}

function differenceLine(one: LayoutDifference): string {
  switch (one.kind) {
    case 'identity': return `${one.field}: ${shown(one.a)} | ${shown(one.b)}`;
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

function shown(value: number | null): string {
  return value === null ? '-' : hex(value);
}

function verdict(layoutFile: string, dump: string, options: HostOptions & { vmm?: VmmProfile }): void {
  const destination = survey(oneCapture(dump, options.function).space);
  const vmm = options.vmm ? vmmAbilities(options.vmm) : obedientVmm;
  const given = migrationVerdict(readLayout(layoutFile), { survey: destination, iommu: iommuOf(options), vmm });
  if (options.json) printJson({ schema: 'cadastre.verdict/1', vmm: vmm.profile, revision: vmm.revision, ...given });
  else print(explainVerdict(given).join('\n'));
  if (given.verdict === 'cannot') throw new CommandFailed(exitCode.negative, `${given.reasons.length} reasons`);
}

function wear(layoutFile: string, dump: string, options: HostOptions): void {
  const persona = { name: layoutFile, version: 1, layout: readLayout(layoutFile) };
  const { verdict: given, worn } = fit(persona, survey(oneCapture(dump, options.function).space), iommuOf(options));
  if (options.json) {
    printJson({ schema: 'cadastre.fit/1', fits: worn !== null, verdict: given,
      layout: worn && shownLayout(worn.layout) });
  } else print([worn ? 'fits' : 'does not fit', ...explainVerdict(given).slice(1)].join('\n'));
  if (!worn) throw new CommandFailed(exitCode.negative, `${given.reasons.length} reasons`);
}

function shareBaseline(files: readonly string[], { json }: { json?: boolean }): void {
  const functions = files.flatMap((file) => readCaptures(file).map((one) =>
    ({ source: `${file} ${one.address}`, survey: survey(one.space) })));
  const shared = baseline(functions);
  if (!shared.ok) {
    if (json) printJson({ schema: 'cadastre.baseline/1', refusal: shared.refusal });
    throw new CommandFailed(exitCode.negative, `no baseline: ${explainBaselineRefusal(shared.refusal)}`);
  }
  const { layout, dropped, narrowed, replaced } = shared.value;
  if (json) {
    printJson({ schema: 'cadastre.baseline/1', layout: shownLayout(layout), dropped, narrowed, replaced });
    return;
  }
  print(`${functions.length} functions share ${layout.capabilities.map(({ name }) => name).join(', ') || 'a header'}`);
  for (const one of dropped) print(`${one.name}@${hex(one.offset, 3)}: ${one.why} in ${one.because}`);
  for (const one of narrowed) print(`${one.name} ${one.field}: ${one.from} -> ${one.to}, because of ${one.because}`);
  for (const one of replaced) print(`${one.field} differs in ${one.because}`);
}

function explain(file: string, { byte, json }: { byte: number; json?: boolean }): void {
  const told = explainByte(readLayout(file), byte);
  if (!told) throw new CommandFailed(exitCode.negative, `${hex(byte)} is not in this layout`);
  if (json) printJson({ schema: 'cadastre.explain/1', ...told });
  else print(told.lines.join('\n'));
}
