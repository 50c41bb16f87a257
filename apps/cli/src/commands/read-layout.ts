import { basename } from 'node:path';
import { type Capture, survey } from '@cadastre/config-space';
import {
  explainRefusal, type LayoutDocument, layoutDocument, type LayoutDocumentRefusal, planLayout, readLayoutDocument,
  writeLayoutDocument,
} from '@cadastre/device-layout';
import { CommandFailed, exitCode } from '../exit-code.js';
import { capturesIn } from './read-captures.js';
import { readInput, readText } from './read-input.js';

/** A layout document; what is none ends the command with the place: it is no answer about any function. */
export function readLayout(file: string): LayoutDocument {
  return layoutIn(readText(file), file);
}

function layoutIn(text: string, file: string): LayoutDocument {
  const read = readLayoutDocument(text);
  if (read.ok) return read.value;
  throw new CommandFailed(exitCode.usage, `${file}: ${whyNoLayout(read.refusal)}`);
}

function whyNoLayout(refusal: LayoutDocumentRefusal): string {
  switch (refusal.kind) {
    case 'layout-version-unknown': return `this version does not know ${refusal.format}`;
    case 'layout-malformed': return `${refusal.pointer || 'the document'} ${refusal.problem}`;
    case 'layout-digest-differs': return `its digest is ${refusal.told}, its content has ${refusal.actual}`;
  }
}

/** A layout document, or the layout a function of a dump shows as it is; either may come from standard input. */
export function readLayoutOrDump(file: string, named: NamedFunction): LayoutDocument {
  const input = readInput(file);
  const text = input.toString('utf8');
  // A refusal of a ledger is JSON as well, and says better what is wrong when it is read as a dump.
  if (text.trimStart().startsWith('{') && !/"status":\d/.test(text)) return layoutIn(text, file);
  const surveyed = survey(one(capturesIn(input), file, named).space);
  const planned = planLayout({
    survey: surveyed, physicalFunction: null, wanted: [],
    policy: { strategies: [], pinned: {}, allowedRanges: [], forbiddenRanges: [] },
  });
  if (!planned.ok) throw new CommandFailed(exitCode.negative, `${file}: ${explainRefusal(planned.refusal)}`);
  return layoutDocument(surveyed, planned.value.layout, planned.value.guestConfigSpace);
}

/** Which function of a dump is meant, and the option that says so. */
export interface NamedFunction {
  readonly address: string | undefined;
  readonly option: string;
}

/** The one function of a dump, or the one with the address asked for. */
export function oneCapture(file: string, address?: string, option = '--function'): Capture {
  return one(capturesIn(readInput(file)), file, { address, option });
}

/** Functions of a dump that are named when it has to be said which it has. */
const namedMax = 8;

function one(captures: readonly Capture[], file: string, { address, option }: NamedFunction): Capture {
  const found = address === undefined ? captures
    : captures.filter((capture) => capture.address === address || capture.address === `0000:${address}`);
  const [first, second] = found;
  const more = captures.length > namedMax ? ` and ${captures.length - namedMax} more` : '';
  const seen = captures.slice(0, namedMax).map((capture) => capture.address).join(', ') + more;
  if (!first) {
    throw new CommandFailed(exitCode.notFound, `${file} has ${seen || 'no function'}, not ${address ?? 'one'}`);
  }
  if (second) throw new CommandFailed(exitCode.usage, `${file} has ${seen}: name one with ${option}`);
  return first;
}

/** A document as people read it: the members in canonical order, two spaces a level. */
export function shownLayout(layout: LayoutDocument): unknown {
  return JSON.parse(writeLayoutDocument(layout)) as unknown;
}

/** A persona out of a file has the name of the file, without folder and ending. */
export function personaIn(file: string): { readonly name: string; readonly version: number; layout: LayoutDocument } {
  const name = file === '-' ? 'stdin' : basename(file).replace(/(?<=.)\.[^.]*$/, '');
  return { name, version: 1, layout: readLayout(file) };
}
