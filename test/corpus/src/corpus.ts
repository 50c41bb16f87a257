import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Capture, readLspciText } from '@cadastre/config-space';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** Captures of real devices, kept beside the repository and never in it. */
export const corpusFolder = process.env['CADASTRE_CORPUS'] ?? join(repository, '../shared/corpus');
/** The same functions seen through a kernel and a VMM. */
export const observedFolder = process.env['CADASTRE_OBSERVED'] ?? join(repository, '../shared/observed');
/** Captures of emulated devices that belong to the project. */
export const samplesFolder = join(repository, 'samples');

export const hasCorpus = existsSync(join(corpusFolder, 'INDEX.tsv'));
export const hasObserved = existsSync(join(observedFolder, 'observed.tsv'));

/** What a title says when a folder is not there. */
export function unless(present: boolean, folder: string): string {
  return present ? '' : ` (skipped: there is no ${folder})`;
}

/** Names of the captures in a folder, in order; none where there is no folder. */
export function captureFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.lspci')).sort();
}

export function readCaptures(path: string): readonly Capture[] {
  const given = readLspciText(readFileSync(path, 'latin1'));
  if (given.ok) return given.value;
  const { line, column, problem } = given.refusal;
  throw new Error(`${path}:${line}:${column}: ${problem}`);
}

export interface IndexRow {
  readonly file: string;
  /** `PM(01)@40` or `AER(0001)v1@100`; the names are the index's own. */
  readonly standard: readonly string[];
  readonly extended: readonly string[];
}

/** Rows of INDEX.tsv that list one function; machines have their lists in the oracle alone. */
export function readIndex(): readonly IndexRow[] {
  const [, ...lines] = readFileSync(join(corpusFolder, 'INDEX.tsv'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split('\t')).filter(([file = '']) => !file.startsWith('machine-'))
    .map(([file = '', , , , standard = '-', extended = '-']) => ({ file, standard: list(standard), extended:
      list(extended) }));
}

function list(column: string): readonly string[] {
  return column === '-' ? [] : column.split(',');
}
