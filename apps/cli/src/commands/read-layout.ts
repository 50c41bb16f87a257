import { readFileSync } from 'node:fs';
import { type Capture, survey } from '@cadastre/config-space';
import {
  explainRefusal, type LayoutDocument, layoutDocument, planLayout, readLayoutDocument, writeLayoutDocument,
} from '@cadastre/device-layout';
import { CommandFailed, exitCode } from '../exit-code.js';
import { messageOf, systemErrorCode } from '../system-error.js';
import { readCaptures } from './read-captures.js';

/** Text of a file, or of standard input for `-`. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? process.stdin.fd : file, 'utf8');
  } catch (error) {
    const code = systemErrorCode(error) === 'ENOENT' ? exitCode.notFound : exitCode.io;
    throw new CommandFailed(code, `cannot read ${file}: ${messageOf(error)}`);
  }
}

/** A layout document; what is none ends the command with the place. */
export function readLayout(file: string): LayoutDocument {
  const read = readLayoutDocument(readText(file));
  if (read.ok) return read.value;
  const { refusal } = read;
  switch (refusal.kind) {
    case 'layout-version-unknown':
      throw new CommandFailed(exitCode.negative, `${file}: this version does not know ${refusal.format}`);
    case 'layout-malformed':
      throw new CommandFailed(exitCode.negative, `${file}: ${refusal.pointer || 'the document'} ${refusal.problem}`);
    case 'layout-digest-differs':
      throw new CommandFailed(exitCode.negative,
        `${file}: its digest is ${refusal.told}, its content has ${refusal.actual}`);
  }
}

/** A layout document, or the layout a function of a dump shows as it is. */
export function readLayoutOrDump(file: string): LayoutDocument {
  if (file !== '-' && readText(file).trimStart().startsWith('{')) return readLayout(file);
  const surveyed = survey(oneCapture(file).space);
  const planned = planLayout({
    survey: surveyed, physicalFunction: null, wanted: [],
    policy: { strategies: [], pinned: {}, allowedRanges: [], forbiddenRanges: [] },
  });
  if (!planned.ok) throw new CommandFailed(exitCode.negative, `${file}: ${explainRefusal(planned.refusal)}`);
  return layoutDocument(surveyed, planned.value.layout, planned.value.guestConfigSpace);
}

/** The one function of a dump, or the one with the address asked for. */
export function oneCapture(file: string, address?: string): Capture {
  const captures = readCaptures(file);
  const found = address === undefined ? captures
    : captures.filter((one) => one.address === address || one.address === `0000:${address}`);
  const [first, second] = found;
  const seen = captures.slice(0, 8).map((one) => one.address).join(', ');
  if (!first) throw new CommandFailed(exitCode.notFound, `${file} has ${seen || 'no function'}`);
  if (second) throw new CommandFailed(exitCode.usage, `${file} has ${seen}: name one with --function`);
  return first;
}

/** A document as people read it: the members in canonical order, two spaces a level. */
export function shownLayout(layout: LayoutDocument): unknown {
  return JSON.parse(writeLayoutDocument(layout)) as unknown;
}
