import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
const passedOver = new Set(['node_modules', 'dist', '.git', '.nx', '.cadastre', 'coverage']);

/** Paths of all files below a folder of the workspace, with `/`, relative to the root. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((one) => {
    if (passedOver.has(one.name)) return [];
    const path = join(folder, one.name);
    return one.isDirectory() ? filesBelow(path) : [path.split(sep).join('/')];
  });
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Names of the folders of one kind: `libs`, `apps`, `plugins`, `test`. */
export function roomsIn(kind: string): readonly string[] {
  return readdirSync(join(root, kind), { withFileTypes: true })
    .filter((one) => one.isDirectory()).map((one) => one.name).sort();
}

export interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly names: readonly string[];
}

const importLine = /^(?:import|export)\s+(?:type\s+)?(?:\{([^}]*)\}|[^'"{]*?)\s*(?:from\s*)?['"]([^'"]+)['"]/gm;

/** Every import and re-export of a TypeScript file. */
export function importsOf(path: string): readonly Import[] {
  return [...textOf(path).matchAll(importLine)].map(([, names = '', specifier = '']) => ({
    from: path, specifier,
    names: names.split(',').map((one) => one.trim().replace(/^type\s+/, '').replace(/\s+as\s.*$/, '')).filter(Boolean),
  }));
}

/** Where a relative import of a file leads, relative to the root. */
export function targetOf({ from, specifier }: Import): string {
  return relative(root, join(root, from, '..', specifier)).split(sep).join('/').replace(/\.js$/, '.ts');
}
