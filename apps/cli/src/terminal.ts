import { styleText } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { drawTable } from './draw-table.js';

type Style = Parameters<typeof styleText>[0];

/** Colours where stdout is a terminal that has them; `NO_COLOR` and pipes get plain text. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** A table: lines and colours on a terminal, columns of plain text elsewhere. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return drawTable(head.map((one) => paint('bold', one)), rows, process.stdout.isTTY ? 'lined' : 'plain');
}

export interface Progress {
  update(done: number, total: number): void;
  stop(): void;
}

/** A bar with rate and time left on stderr, where stderr is a terminal; silent elsewhere. */
export function progress(what: string): Progress {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const format = `${what} {bar} {percentage}% | {value}/{total} | ${'{duration_formatted}'} gone, {eta_formatted} left`;
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true }, Presets.shades_classic);
  let started = false;
  return {
    update(done, total) {
      if (!started) bar.start(total, done);
      started = true;
      bar.setTotal(total);
      bar.update(done);
    },
    stop() {
      if (started) bar.stop();
    },
  };
}

/** Talk goes to stderr, so that stdout is data. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

export function hex(value: number, digits = 0): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
