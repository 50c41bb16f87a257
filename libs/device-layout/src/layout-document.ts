import {
  ConfigSpace, extendedCapabilitiesMax, ok, refuse, type Result, standardCapabilitiesMax,
} from '@cadastre/config-space';
import { canonicalJson } from './canonical-json.js';
import { hexOf } from './compare-layouts.js';
import { Digest } from './digest.js';
import { furtherCapturesMax } from './evidence.js';
import { whatContradicts } from './layout-contradiction.js';
import {
  byKind, hex, isRecord, type JsonSchema, list, type Malformed, object, oneOf, orNull, type Shape, text, type ValueOf,
  whole,
} from './shape.js';

export { identityOf } from './identity-of.js';

/** Name and version of the format. Another meaning or member is another version. */
export const layoutFormat = 'cadastre.layout/1';

const offset = hex(3, 0xfff);
const line = text(4_096);
const digest = text(71, /^sha256:[0-9a-f]{64}$/) as unknown as Shape<Digest>;
const spaceName = oneOf('standard', 'extended');
/** One range for each byte is the most there can be, and so on. */
const bytesMax = 4_096;

/** How one side of a migration may differ from the other in these bytes (R13). */
const compareClass = oneOf('identical', 'consistent', 'ignore');
/** Where a guest's write goes: to the hardware, into the VMM's copy, or nowhere. */
const writeBehaviour = oneOf('hardware', 'emulated', 'dropped');

const identity = object({
  vendorId: hex(4, 0xffff), deviceId: hex(4, 0xffff),
  subsystemVendorId: orNull(hex(4, 0xffff)), subsystemId: orNull(hex(4, 0xffff)),
  classCode: hex(6, 0xffffff), revision: hex(2, 0xff), headerType: hex(2, 0xff),
});

type Backing =
  | { readonly kind: 'physical'; readonly offset: number }
  | { readonly kind: 'emulated'; readonly writable: readonly { readonly offset: number; readonly mask: number }[] };

const backing = byKind<Backing>({
  physical: object({ kind: oneOf('physical'), offset }),
  emulated: object({
    kind: oneOf('emulated'), writable: list(object({ offset, mask: hex(8, 0xffffffff) }), bytesMax / 4),
  }),
});

/** Why a capability is where it is, in words, and what was considered before. */
const decision = object({
  rule: text(64), reason: line, cautions: list(line, 64), considered: list(line, 256),
});

const capability = object({
  space: spaceName, id: hex(4, 0xffff), name: text(64), version: whole(0, 15), offset, length: whole(1, bytesMax),
  origin: oneOf('physical', 'synthetic', 'persona', 'anchor'), backing, decision: orNull(decision),
});

const range = object({
  offset, length: whole(1, bytesMax), compare: compareClass, write: writeBehaviour,
  provenance: object({
    by: oneOf('hardware', 'planner', 'operator', 'persona', 'quirk', 'dvsec', 'plugin'), rule: text(64),
    note: orNull(line),
  }),
});

const row = object({ offset, bytes: text(47, /^[0-9a-f]{2}( [0-9a-f]{2}){15}$/) });

/** Everything but the digest, which is of all the rest. */
const members = {
  format: oneOf(layoutFormat),
  planner: text(64), identity, configSize: oneOf(256, 4096),
  standardList: list(offset, standardCapabilitiesMax), extendedList: list(offset, extendedCapabilitiesMax),
  capabilities: list(capability, standardCapabilitiesMax + extendedCapabilitiesMax),
  ranges: list(range, bytesMax), rows: list(row, bytesMax / 16),
  evidence: object({
    captures: list(object({ source: line, configSpaceDigest: digest }), furtherCapturesMax),
    looked: whole(0, 0xffffffff),
    quirks: list(text(128), 256), told: list(object({ by: oneOf('operator', 'dvsec', 'plugin'), source: line }), 256),
  }),
};
const unsigned = object(members);
const body = object({ ...members, digest });
type Written = ValueOf<typeof body>;

export type LayoutCapability = ValueOf<typeof capability>;
export type LayoutRange = ValueOf<typeof range>;
export type LayoutIdentity = ValueOf<typeof identity>;
export type CompareClass = LayoutRange['compare'];
export type WriteBehaviour = LayoutRange['write'];
export type Provenance = LayoutRange['provenance'];

/** The exact config space of one kind of function as a guest sees it, and how every byte of it behaves. */
export interface LayoutDocument extends Omit<Written, 'rows' | 'format' | 'digest'> {
  /** What a guest reads when the device is fresh. */
  readonly space: ConfigSpace;
}

export type LayoutDocumentRefusal =
  | { readonly kind: 'layout-version-unknown'; readonly format: string }
  | { readonly kind: 'layout-malformed'; readonly pointer: string; readonly problem: string }
  | { readonly kind: 'layout-digest-differs'; readonly told: string; readonly actual: string };

/** The published schema of the format. */
export const layoutDocumentSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema', $id: 'urn:cadastre:cadastre.layout:1', title: layoutFormat,
  ...body.schema,
};

/** Canonical JSON of a document, its digest included. */
export function writeLayoutDocument(document: LayoutDocument): string {
  const written = writeUnsigned(document);
  return canonicalJson({ ...written, digest: Digest.of(canonicalJson(written)) });
}

/** SHA-256 of the canonical document without this digest. */
export function documentDigest(document: LayoutDocument): Digest {
  return Digest.of(canonicalJson(writeUnsigned(document)));
}

function writeUnsigned({ space, ...rest }: LayoutDocument): object {
  return unsigned.write({ ...rest, format: layoutFormat, rows: rowsOf(space) }) as object;
}

/** Rows of 16 bytes, those of nothing but zeroes left out. */
function rowsOf(space: ConfigSpace): Written['rows'] {
  const rows: Written['rows'][number][] = [];
  for (let at = 0; at < space.size; at += 16) {
    if (space.nonZeroFrom(at, at + 16) === at + 16) continue;
    rows.push({ offset: at, bytes: hexOf(at, 16, (one) => space.u8(one)) });
  }
  return rows;
}

/** Reads a document out of JSON text or a parsed value. A version of another time is refused by its name. */
export function readLayoutDocument(given: unknown): Result<LayoutDocument, LayoutDocumentRefusal> {
  const parsed: Result<unknown, LayoutDocumentRefusal> = typeof given === 'string' ? parseJson(given) : ok(given);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  if (isRecord(value) && typeof value['format'] === 'string' && value['format'] !== layoutFormat) {
    return refuse({ kind: 'layout-version-unknown', format: value['format'].slice(0, 80) });
  }
  const read = body.read(value, '');
  if (!read.ok) return malformed(read.refusal);
  const { rows, digest: told, planner, identity: named, configSize, evidence } = read.value;
  const { standardList, extendedList, capabilities, ranges } = read.value;
  const bytes = new Uint8Array(configSize);
  for (const [index, { offset: at, bytes: shown }] of rows.entries()) {
    const isNext = at % 16 === 0 && at < bytes.length && (index === 0 || at > (rows[index - 1]?.offset ?? 0));
    if (!isNext) return refused(`/rows/${index}/offset`, 'must be a multiple of 16, in order, inside the space');
    bytes.set(shown.split(' ').map((byte) => Number.parseInt(byte, 16)), at);
  }
  const space = ConfigSpace.from(bytes);
  if (!space.ok) return refused('/configSize', space.refusal.limit);
  const document: LayoutDocument = {
    planner, identity: named, configSize, standardList, extendedList, capabilities, ranges, evidence,
    space: space.value,
  };
  const contradiction = whatContradicts(document);
  if (contradiction) return malformed(contradiction);
  const actual = documentDigest(document);
  return actual === told ? ok(document) : refuse({ kind: 'layout-digest-differs', told, actual });
}

function parseJson(given: string): Result<unknown, LayoutDocumentRefusal> {
  try {
    const value: unknown = JSON.parse(given);
    return ok(value);
  } catch {
    return refused('', 'must be JSON');
  }
}

function malformed({ pointer, problem }: Omit<Malformed, 'kind'>): Result<never, LayoutDocumentRefusal> {
  return refuse({ kind: 'layout-malformed', pointer, problem });
}

function refused(pointer: string, problem: string): Result<never, LayoutDocumentRefusal> {
  return malformed({ pointer, problem });
}
