import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bdf, type Capture, survey, writeLspciText } from '@cadastre/config-space';
import { buildConfigSpace, express, u16, u32 } from '@cadastre/config-space/testing';
import { compareLists, type ListAgreement, listTable } from './compare-lists.js';
import { type Agreement, agreementTable, compareRegisters } from './compare-registers.js';
import { captureFiles, corpusFolder, hasCorpus, readCaptures, samplesFolder, unless } from './corpus.js';
import { registerExceptions } from './exceptions.js';
import { type OracleFunction, readOracle } from './oracle.js';

function installedVersion(): string | undefined {
  try {
    return execFileSync('lspci', ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

const version = installedVersion();
const reason = version === undefined ? ' (skipped: lspci is not installed)' : ` (${version})`;

/** Made for this test: every list and most registers the tables decode. */
const made: readonly Capture[] = [
  buildConfigSpace({
    vendorId: 0x1234, deviceId: 0x5678,
    standard: [
      { id: 1, offset: 0x40, body: [...u16(0xf603), ...u16(0x0108)] },
      { id: 5, offset: 0x50, body: [...u16(0x01a6), ...u32(0xfee01000), ...u32(0x1), ...u16(0x4022), 0, 0, ...u32(3),
        ...u32(1)] },
      { id: 0x11, offset: 0x70, body: [...u16(0x803f), ...u32(0x2003), ...u32(0x3003)] },
      express({ offset: 0x80, lanes: 16, endEndTlpPrefix: true }),
    ],
    extended: [
      { id: 1, version: 2, offset: 0x100, body: [...u32(0x00100000), ...u32(0x00400000), ...u32(0x00462030),
        ...u32(0x2000)] },
      { id: 0x0d, offset: 0x150, body: [...u16(0x005f), ...u16(0x001d)] },
      { id: 0x0f, offset: 0x160, body: [...u16(0x0025), ...u16(0x8003)] },
      { id: 0x13, offset: 0x170, body: [...u16(1), ...u16(0x8100), ...u32(0x100), ...u32(0x20)] },
      { id: 0x1b, offset: 0x180, body: [...u16(0x1406), ...u16(0x0003)] },
      { id: 0x03, offset: 0x190, body: [...u32(0x89abcdef), ...u32(0x01234567)] },
      { id: 0x23, offset: 0x1a0, body: [...u32(0x01011234), ...u16(7)] },
    ],
  }),
  buildConfigSpace({ size: 256, standard: [{ id: 9, offset: 0x40, body: [0x10] }, { id: 5, offset: 0x50 }] }),
].map((space, index): Capture => ({ address: `0000:0${index}:00.0` as Bdf, title: '', space }));

describe(`the installed lspci reads what we write${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-'));
  const tally = new Map<string, Agreement>();
  const lists = new Map<string, ListAgreement>();
  const run = version === undefined ? it.skip : it;
  afterAll(() => {
    rmSync(folder, { recursive: true });
    if (tally.size > 0) console.log(`${version}\n${listTable(lists)}\n\n${agreementTable(tally)}`);
  });

  const shown = (captures: readonly Capture[]): readonly OracleFunction[] => {
    const file = join(folder, 'written');
    writeFileSync(file, writeLspciText(captures));
    return readOracle(execFileSync('lspci', ['-F', file, '-vvv', '-n'], {
      encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
    }));
  };

  const judge = (name: string, captures: readonly Capture[]): void => {
    const functions = shown(captures);
    const byAddress = new Map(functions.map((one) => [one.address.replace(/^0000:/, ''), one]));
    for (const { address, space } of captures) {
      const theirs = byAddress.get(address.replace(/^0000:/, ''))?.capabilities ?? [];
      const surveyed = survey(space);
      expect([name, address, compareLists(surveyed, theirs, lists)]).toEqual([name, address, undefined]);
      compareRegisters(surveyed, theirs, `${name} ${address}`, tally);
    }
    const excepted = registerExceptions.filter((one) => version !== undefined && one.version.test(version));
    const different = [...tally].flatMap(([, agreement]) => agreement.different);
    expect(different.filter((one) => !excepted.some(({ field }) => one.includes(` ${field}: `)))).toEqual([]);
  };

  run('of made functions: the same lists, the same registers', () => {
    judge('made', made);
    expect([...tally.keys()].sort())
      .toEqual(['ACS', 'AER', 'ATS', 'DSN', 'DVSEC', 'EXP', 'MSI', 'MSIX', 'PASID', 'PM', 'PRI', 'VNDR']);
  });

  const samples = captureFiles(samplesFolder);
  (samples.length > 0 ? run : it.skip)(`of the samples${unless(samples.length > 0, samplesFolder)}`, () => {
    for (const file of samples) judge(file, readCaptures(join(samplesFolder, file)));
  });

  (hasCorpus ? run : it.skip)(`of the corpus${unless(hasCorpus, corpusFolder)}`, () => {
    for (const file of captureFiles(corpusFolder)) judge(file, readCaptures(join(corpusFolder, file)));
  }, 120_000);
});
