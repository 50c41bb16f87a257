import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { layoutDocument, planWhatFits, readLayoutDocument, writeLayoutDocument } from '@cadastre/device-layout';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { samplesFolder } from './corpus.js';
import { samplePlans } from './sample-plans.js';

const schemaFile = join(samplesFolder, '../docs/reference/cadastre.layout-1.schema.json');
const schema = JSON.parse(readFileSync(schemaFile, 'utf8')) as object;
const validate: ValidateFunction = new Ajv2020({ allErrors: true, strict: true }).compile(schema);

const documents = samplePlans().map(({ sample, policy, wanted, request }) => {
  const { planned } = planWhatFits(request);
  if (!planned) throw new Error(`${sample}, ${policy}, ${wanted}: no layout at all`);
  const text = writeLayoutDocument(layoutDocument(request.survey, planned.layout, planned.guestConfigSpace));
  return { name: `${sample}, ${policy}, ${wanted}`, text };
});

/** A copy in which the value at a path is another one, or missing. */
type Edit = (holder: Record<string, unknown>, key: string) => void;

/** Every member of every object of a value, of lists the first item. */
function paths(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  const entries = Object.entries(value);
  return (Array.isArray(value) ? entries.slice(0, 1) : entries)
    .flatMap(([name, one]) => [[...path, name], ...paths(one, [...path, name])]);
}

function edited(text: string, path: readonly string[], edit: Edit): unknown {
  const copy = JSON.parse(text) as Record<string, unknown>;
  const holder = path.slice(0, -1).reduce((at, name) => at[name] as Record<string, unknown>, copy);
  edit(holder, path.at(-1) ?? '');
  return copy;
}

describe('the published schema, read by a validator that is not ours', () => {
  it('has a name of its own', () => {
    expect(schema).toMatchObject({ $id: 'urn:cadastre:cadastre.layout:1',
      $schema: 'https://json-schema.org/draft/2020-12/schema' });
  });

  it(`takes the documents of all samples under all policies (${documents.length})`, () => {
    for (const { name, text } of documents) {
      expect([name, validate(JSON.parse(text)), validate.errors]).toEqual([name, true, null]);
      expect([name, readLayoutDocument(text).ok]).toEqual([name, true]);
    }
    expect(documents.length).toBeGreaterThan(150);
  });

  it('takes none in which a member is missing, strange, or of another type; neither does the reader', () => {
    const edits: Readonly<Record<string, Edit>> = {
      missing: (holder, key) => { if (!Array.isArray(holder)) delete holder[key]; },
      strange: (holder, key) => { if (!Array.isArray(holder)) holder[`${key}-too`] = 1; },
      other: (holder, key) => { holder[key] = { strange: true }; },
    };
    const text = documents.find(({ name }) => name === 'nic-v1, operations, pasid,pri,ats')?.text;
    if (text === undefined) throw new Error('the sample is gone');
    const all = paths(JSON.parse(text));
    for (const path of all) for (const [edit, make] of Object.entries(edits)) {
      if (edit !== 'other' && /^\d+$/.test(path.at(-1) ?? '')) continue;
      const broken = edited(text, path, make);
      expect([edit, path.join('/'), validate(broken), readLayoutDocument(broken).ok])
        .toEqual([edit, path.join('/'), false, false]);
    }
    expect(all.length).toBeGreaterThan(40);
  });

  it.each<[string, readonly string[], unknown]>([
    ['an offset beyond the space', ['capabilities', '0', 'offset'], '0x1000'],
    ['an offset in decimal', ['ranges', '0', 'offset'], 0],
    ['a compare class nobody knows', ['ranges', '0', 'compare'], 'same'],
    ['a write that goes elsewhere', ['ranges', '0', 'write'], 'guest'],
    ['another format', ['format'], 'cadastre.layout/2'],
    ['a row of 15 bytes', ['rows', '0', 'bytes'], '00'],
    ['a digest of another kind', ['digest'], 'md5:00'],
  ])('refuses %s', (_, path, value) => {
    const [{ text = '' } = {}] = documents;
    const broken = edited(text, path, (holder, key) => { holder[key] = value; });
    expect([validate(broken), readLayoutDocument(broken).ok]).toEqual([false, false]);
  });
});
