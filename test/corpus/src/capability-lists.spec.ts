import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Capture, readLspciText, survey, writeLspciText } from '@cadastre/config-space';
import { compareLists, type ListAgreement, listTable } from './compare-lists.js';
import { captureFiles, corpusFolder, hasCorpus, readCaptures, readIndex, unless } from './corpus.js';
import { listExceptions } from './exceptions.js';
import { readOracle } from './oracle.js';

const files = captureFiles(corpusFolder);
const skipped = unless(hasCorpus, corpusFolder);

/** `05@a8`, or `0001v2@150`. */
function listed({ space }: Capture, list: 'standard' | 'extended'): readonly string[] {
  return survey(space).capabilities.filter((one) => one.space === list).map(({ id, version, offset }) =>
    list === 'standard' ? `${hex(id, 2)}@${hex(offset, 2)}` : `${hex(id, 4)}v${version}@${hex(offset, 3)}`);
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
/** lspci leaves segment 0000 out unless another one is in the file. */
const withSegment = (address: string): string => (address.length === 7 ? `0000:${address}` : address);
/** `AER(0001)v1@100` to `0001v1@100`. */
const nameless = (entry: string): string => entry.replace(/^[^(]*\(([0-9a-f]+)\)/, '$1');

describe(`capability lists${skipped}`, () => {
  const tally = new Map<string, ListAgreement>();

  (hasCorpus ? it.each(readIndex().map((row) => [row.file, row] as const)) : it.skip.each([['every file', undefined]]))(
    '%s: IDs, versions and offsets are those of the index', (file, row) => {
      const captures = readCaptures(join(corpusFolder, file));
      expect(captures).toHaveLength(1);
      for (const capture of captures) {
        expect(listed(capture, 'standard')).toEqual(row?.standard.map(nameless));
        expect(listed(capture, 'extended')).toEqual(row?.extended.map(nameless));
      }
    });

  const everyFile = hasCorpus ? it.each(files) : it.skip.each(['every file']);

  everyFile('%s: functions, offsets and versions are those of the oracle', (file) => {
    const functions = readOracle(readFileSync(join(corpusFolder, 'oracle', `${file}.txt`), 'utf8'));
    const captures = readCaptures(join(corpusFolder, file));
    expect(functions.map(({ address }) => withSegment(address))).toEqual(captures.map(({ address }) => address));
    const different = captures.map(({ space }, index) =>
      compareLists(survey(space), functions[index]?.capabilities ?? [], tally));
    expect(different.filter((one) => one !== undefined)).toEqual([]);
  });

  everyFile('%s: what is written is what was read, to the letter, but for empty lines', (file) => {
    const text = readFileSync(join(corpusFolder, file), 'utf8');
    const lines = (given: string): readonly string[] => given.split('\n').map((one) => one.trimEnd()).filter(Boolean);
    const captures = readCaptures(join(corpusFolder, file));
    expect(lines(writeLspciText(captures))).toEqual(lines(text).filter((one) => !/^\s/.test(one)));
    const again = readLspciText(writeLspciText(captures));
    expect(again.ok && again.value.map(({ space }) => survey(space).capabilities))
      .toEqual(captures.map(({ space }) => survey(space).capabilities));
  });

  afterAll(() => {
    if (tally.size === 0) return;
    const reasons = listExceptions.map(({ finding, reason }) => `  excused where ${finding}: ${reason}`);
    console.log([listTable(tally), ...reasons].join('\n'));
  });
});
