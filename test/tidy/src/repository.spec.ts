import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, root, textOf } from './sources.js';

describe('the repository', () => {
  it('names no registry host and no path of a machine', () => {
    const guilty = filesBelow('.').filter((path) => path !== 'test/tidy/src/repository.spec.ts')
      .filter((path) => /\.(ts|mjs|json|md|yml)$/.test(path))
      .filter((path) => /registry\.npmjs|\/home\/[a-z]|\/root\/|"resolved": "http/.test(textOf(path)));
    expect(guilty).toEqual([]);
  });

  it('pins every dependency of every package', () => {
    const manifests = filesBelow('.').filter((path) => path.endsWith('package.json'));
    for (const path of manifests) {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(textOf(path)) as {
        dependencies?: Record<string, string>; devDependencies?: Record<string, string>;
      };
      for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
        const own = name.startsWith('@cadastre/') && version === '*';
        expect({ path, name, pinned: own || /^(npm:@?[^@]+@)?\d+\.\d+\.\d+$/.test(version) })
          .toEqual({ path, name, pinned: true });
      }
    }
  });

  it('ships samples that say in their first line what they are', () => {
    const samples = readdirSync(join(root, 'samples')).filter((name) => name.endsWith('.lspci'));
    const index = JSON.parse(textOf('samples/samples.json')) as { functions: readonly { file: string }[] };
    expect(index.functions.map((one) => one.file).sort()).toEqual(samples.sort());
    for (const name of samples) expect(textOf(`samples/${name}`).split('\n')[0]).toMatch(/QEMU|made-up/);
  });

  it('has the documents a stranger looks for', () => {
    for (const name of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'LICENSE', 'docs/README.md']) {
      expect({ name, exists: existsSync(join(root, name)) }).toEqual({ name, exists: true });
    }
  });

  it('links only to pages that are there', () => {
    const broken = filesBelow('.').filter((path) => path.endsWith('.md')).flatMap((path) =>
      [...textOf(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, link = '']) => join(path, '..', link))
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${path} -> ${target}`));
    expect(broken).toEqual([]);
  });

  it('has a decision record for each decision, numbered without holes', () => {
    const numbers = readdirSync(join(root, 'docs/adr')).filter((name) => /^\d{4}-/.test(name))
      .map((name) => Number(name.slice(0, 4))).sort((a, b) => a - b);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThan(0);
  });
});
