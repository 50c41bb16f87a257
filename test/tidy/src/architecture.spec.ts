import { filesBelow, importsOf, roomsIn, root, targetOf, textOf } from './sources.js';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The rooms of ARCHITECTURE.md, and what each may import. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'config-space': [],
  'vmm-profiles': ['config-space'],
  'device-layout': ['config-space', 'vmm-profiles'],
  'lifecycle': ['config-space', 'vmm-profiles', 'device-layout'],
  'event-store': [],
  'event-store-sqlite': ['event-store'],
  'views': ['config-space', 'device-layout', 'lifecycle', 'event-store'],
  'ledger': ['config-space', 'vmm-profiles', 'device-layout', 'lifecycle', 'event-store', 'views'],
};
const cores = ['config-space', 'vmm-profiles', 'device-layout', 'lifecycle'];

/** What of Node a core may use: hashing, which is a function of its input. */
const pureNode: Readonly<Record<string, readonly string[]>> = { 'node:crypto': ['createHash', 'hash'] };

const isTest = (path: string): boolean => /\.spec\.ts$|(^|\/)testing(\.ts$|\/)/.test(path);
const sources = (folder: string): readonly string[] =>
  filesBelow(folder).filter((path) => path.includes('/src/') && path.endsWith('.ts') && !isTest(path));

describe('rooms', () => {
  it('are those of the map, no more and no fewer', () => {
    expect(roomsIn('libs')).toEqual(Object.keys(mayImport).sort());
  });

  it.each(Object.entries(mayImport))('%s imports only %j', (room, allowed) => {
    const foreign = sources(`libs/${room}`).flatMap(importsOf)
      .filter(({ specifier }) => specifier.startsWith('@cadastre/'))
      .filter(({ specifier }) => !allowed.includes(specifier.replace('@cadastre/', '').replace(/\/.*/, '')));
    expect(foreign).toEqual([]);
  });

  it('have no drawer for odds and ends', () => {
    const drawers = /(^|\/)(utils?|common|shared|helpers?|misc|types)(\.ts|\/|$)/;
    expect(['apps', 'libs', 'test'].flatMap(filesBelow).filter((path) => drawers.test(path))).toEqual([]);
  });

  it('import each other by name, never by path', () => {
    const crossing = ['libs', 'apps'].flatMap((kind) => roomsIn(kind).map((room) => `${kind}/${room}`))
      .flatMap((room) => sources(room).flatMap(importsOf)
        .filter((one) => one.specifier.startsWith('.') && !targetOf(one).startsWith(`${room}/src/`)));
    expect(crossing).toEqual([]);
  });

  it('have no file that nobody imports', () => {
    for (const room of ['libs', 'apps'].flatMap((kind) => roomsIn(kind).map((name) => `${kind}/${name}`))) {
      const files = sources(room);
      const reached = new Set(filesBelow(room).filter((path) => path.endsWith('.ts')).flatMap(importsOf)
        .filter(({ specifier }) => specifier.startsWith('.')).map(targetOf));
      const entries = [`${room}/src/index.ts`, `${room}/src/main.ts`];
      expect(files.filter((path) => !reached.has(path) && !entries.includes(path))).toEqual([]);
    }
  });
});

describe('a core', () => {
  it.each(cores)('%s uses no framework and nothing of Node but hashing', (room) => {
    const outside = sources(`libs/${room}`).flatMap(importsOf)
      .filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('@cadastre/'))
      .filter(({ specifier, names }) => !names.every((name) => pureNode[specifier]?.includes(name)));
    expect(outside).toEqual([]);
  });

  it.each(cores)('%s reads no clock, no chance, no environment, and does no I/O', (room) => {
    const impure = /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.|\bperformance\.|\bsetTimeout\b|\bfetch\(/;
    const guilty = sources(`libs/${room}`).filter((path) => impure.test(textOf(path)));
    expect(guilty).toEqual([]);
  });

  it.each(cores)('%s has no `any`', (room) => {
    const guilty = sources(`libs/${room}`).filter((path) => /[:<]\s*any\b|\bas any\b/.test(textOf(path)));
    expect(guilty).toEqual([]);
  });
});

describe('the shell', () => {
  it('uses the command and query bus of @nestjs/cqrs and none of what acts before anything is durable', () => {
    const forbidden = ['EventBus', 'AggregateRoot', 'EventPublisher', 'Saga', 'EventsHandler'];
    const used = ['libs', 'apps'].flatMap(sources).flatMap(importsOf)
      .filter(({ specifier }) => specifier === '@nestjs/cqrs')
      .flatMap(({ names }) => names.filter((name) => forbidden.includes(name)));
    expect(used).toEqual([]);
  });

  it('writes HTTP status numbers of problems in one folder only', () => {
    const guilty = sources('apps/server').filter((path) => !path.startsWith('apps/server/src/problems/'))
      .filter((path) => /status:\s*[45]\d\d|status\([45]\d\d\)/.test(textOf(path)));
    expect(guilty).toEqual([]);
  });
});

describe('a source file', () => {
  const all = ['apps', 'libs', 'test'].flatMap(filesBelow).filter((path) => path.endsWith('.ts'));

  it('is at most 600 lines long, and no line is longer than 120 columns', () => {
    const long = all.filter((path) => {
      const lines = textOf(path).split('\n');
      return (lines.length > 600 && !isTest(path)) || lines.some((line) => line.length > 120);
    });
    expect(long).toEqual([]);
  });

  it('has no default export', () => {
    expect(all.filter((path) => /^export default/m.test(textOf(path)))).toEqual([]);
  });
});

describe('a library', () => {
  it('lists its exports by name', () => {
    for (const room of roomsIn('libs')) expect(textOf(`libs/${room}/src/index.ts`)).not.toMatch(/export \*/);
  });

  it('has tests beside its code', () => {
    for (const room of roomsIn('libs')) {
      expect(filesBelow(`libs/${room}`).filter((path) => path.endsWith('.spec.ts'))).not.toEqual([]);
    }
  });

  it('has the licence of the project', () => {
    for (const room of ['libs', 'apps'].flatMap((kind) => roomsIn(kind).map((name) => `${kind}/${name}`))) {
      expect(existsSync(join(root, room, 'package.json'))).toBe(true);
      expect(JSON.parse(textOf(`${room}/package.json`))).toMatchObject({ license: 'Apache-2.0', private: true });
    }
  });
});
