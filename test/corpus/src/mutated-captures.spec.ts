import { join } from 'node:path';
import { ConfigSpace } from '@cadastre/config-space';
import { expectSound } from '@cadastre/config-space/testing';
import fc from 'fast-check';
import { captureFiles, corpusFolder, hasCorpus, readCaptures, unless } from './corpus.js';

const isLong = process.env['CADASTRE_LONG'] === '1';
const seed = Number(process.env['CADASTRE_SEED'] ?? Date.now() % 2 ** 31);
const numRuns = isLong ? 1_000_000 : 20_000;

describe(`mutated captures (CADASTRE_SEED=${seed})${unless(hasCorpus, corpusFolder)}`, () => {
  (hasCorpus ? it : it.skip)(`have sound surveys, ${numRuns} times`, () => {
    const originals = captureFiles(corpusFolder).flatMap((file) => readCaptures(join(corpusFolder, file)))
      .map(({ space }) => space.toBytes());
    const offset = fc.oneof(fc.integer({ min: 0x34, max: 0x2ff }), fc.nat(0xfff));
    const mutation = fc.tuple(offset, fc.oneof(fc.constantFrom(0, 1, 0x10, 0x40, 0x80, 0xfc, 0xff), fc.nat(255)));
    const changes = fc.array(mutation, { minLength: 1, maxLength: 16 });
    fc.assert(fc.property(fc.nat(originals.length - 1), changes, (index, edits) => {
      const bytes = Uint8Array.from(originals[index] ?? []);
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
      const space = ConfigSpace.fromCapture(bytes);
      if (space.ok) expectSound(space.value);
    }), { seed, numRuns });
  }, isLong ? 3_600_000 : 60_000);
});
