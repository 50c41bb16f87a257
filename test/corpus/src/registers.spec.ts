import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { survey } from '@cadastre/config-space';
import { type Agreement, agreementTable, compareRegisters } from './compare-registers.js';
import { captureFiles, corpusFolder, hasCorpus, readCaptures, unless } from './corpus.js';
import { readOracle } from './oracle.js';

/** Types whose registers are decoded and which lspci prints. */
const mustAgree = ['PASID', 'ATS', 'PRI', 'ACS', 'SRIOV', 'MSI', 'MSIX', 'EXP', 'AER', 'PM', 'DSN', 'DPC', 'L1SS',
  'PTM',
  'DVSEC', 'VSEC', 'DOE', 'DEV3', 'IDE'];

describe(`decoded registers${unless(hasCorpus, corpusFolder)}`, () => {
  const tally = new Map<string, Agreement>();

  beforeAll(() => {
    for (const file of captureFiles(corpusFolder)) {
      const functions = readOracle(readFileSync(join(corpusFolder, 'oracle', `${file}.txt`), 'utf8'));
      readCaptures(join(corpusFolder, file)).forEach(({ space, address }, index) =>
        compareRegisters(survey(space), functions[index]?.capabilities ?? [], `${file} ${address}`, tally));
    }
    if (hasCorpus) console.log(agreementTable(tally));
  });

  const everyType = hasCorpus ? it.each(mustAgree) : it.skip.each(['every type']);

  everyType('of %s are what the oracle prints', (name) => {
    // A folder without this type has nothing to compare, which the table shows.
    expect(tally.get(name)?.different ?? []).toEqual([]);
  });

  (hasCorpus ? it : it.skip)('of every other type that was compared agree too', () => {
    const others = [...tally].filter(([name]) => !mustAgree.includes(name));
    expect(others.flatMap(([, { different }]) => different)).toEqual([]);
    expect(tally.size).toBeGreaterThan(0);
  });
});
