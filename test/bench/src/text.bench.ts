import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLspciText } from '@cadastre/config-space';
import { median } from './measure.js';

const samples = fileURLToPath(new URL('../../../samples/', import.meta.url));

export interface TextFigures {
  readonly functions: number;
  /** CPU microseconds for each function: ours, and of `lspci -F -n` on the same file; null without lspci. */
  readonly oursMicros: number;
  readonly lspciMicros: number | null;
}

/** Reading one dump of 2,000 functions, side by side with lspci, in CPU time. */
export function benchText(rounds = 5): TextFigures {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-bench-'));
  const file = join(folder, 'dump.lspci');
  const functions = 2_000;
  const texts = readdirSync(samples).filter((name) => name.endsWith('.lspci'))
    .map((name) => readFileSync(join(samples, name), 'utf8').replace(/^\S+/, ''));
  const dump = Array.from({ length: functions }, (_, index) => `${addressOf(index)}${texts[index % texts.length]}`)
    .join('\n');
  writeFileSync(file, dump);
  const ours = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    const read = readLspciText(dump);
    if (!read.ok || read.value.length !== functions) throw new Error('the dump of the benchmark cannot be read');
    const { user, system } = process.cpuUsage(before);
    return (user + system) / functions;
  });
  const theirs = Array.from({ length: rounds }, () => lspciCpuMicros(file)).filter((one) => one !== undefined);
  rmSync(folder, { recursive: true });
  return {
    functions, oursMicros: median(ours),
    lspciMicros: theirs.length === rounds ? median(theirs) / functions : null,
  };
}

function addressOf(index: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${hex(index >> 8, 2)}:${hex((index >> 3) & 0x1f, 2)}.${index & 7}`;
}

/** User and system time of `lspci -F file -n`, as bash tells it of its children; undefined without lspci. */
function lspciCpuMicros(file: string): number | undefined {
  const { stdout, status } = spawnSync('bash', ['-c', 'lspci -F "$1" -n > /dev/null && times', '-', file], {
    encoding: 'utf8',
  });
  const children = stdout.trim().split('\n')[1];
  if (status !== 0 || children === undefined) return undefined;
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)]
    .reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1e6, 0);
}
