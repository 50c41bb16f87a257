import { hash } from 'node:crypto';
import { type DatabaseSync, type StatementSync } from 'node:sqlite';
import { type CaptureTold, Evidence } from '@cadastre/device-layout';
import { type ObservedModel } from './observed-model.js';
import { ViewsUnusable } from './view-file.js';

const sql = {
  model: 'SELECT * FROM model WHERE name = ?',
  models: 'SELECT * FROM model ORDER BY name',
  captures: 'SELECT * FROM model_capture WHERE model = ? ORDER BY place',
  putModel: `INSERT INTO model (name, looked, seal) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET looked = excluded.looked, seal = excluded.seal`,
  addCapture: 'INSERT INTO model_capture (model, place, source, digest, in_use) VALUES (?, ?, ?, ?, ?)',
} as const;

interface StoredModel {
  readonly name: ObservedModel;
  readonly looked: number;
  readonly seal: string;
}

interface StoredCapture {
  readonly source: string;
  readonly digest: CaptureTold['configSpaceDigest'];
  readonly in_use: string;
}

/** Evidence with the hash of all its captures, each upon the one before. */
interface Chained {
  readonly evidence: Evidence;
  readonly chain: string;
}

/** Models whose evidence stays in memory while events are taken in; 2 MiB. */
const keptMax = 256;

/**
 * What is known of each model: a row, and one for every capture that told something. Decisions stand on it, so a row is
 * sealed with its captures: one that was damaged or lost is told from one that never was.
 */
export class EvidenceTable {
  private readonly statements: { readonly [Name in keyof typeof sql]: StatementSync };
  private readonly kept = new Map<ObservedModel, Chained>();

  constructor(db: DatabaseSync) {
    const prepared = Object.entries(sql).map(([name, text]) => [name, db.prepare(text)] as const);
    this.statements = Object.fromEntries(prepared) as EvidenceTable['statements'];
  }

  /** Throws `ViewsUnusable` when its rows are not what was written. */
  of(model: ObservedModel): Evidence | undefined {
    return this.chained(model)?.evidence;
  }

  /** Throws `ViewsUnusable` when rows are not what was written. */
  all(): ReadonlyMap<ObservedModel, Evidence> {
    const rows = this.statements.models.all() as unknown as readonly StoredModel[];
    return new Map(rows.map((row) => [row.name, this.read(row).evidence]));
  }

  /** Puts evidence in place of that which it goes on from: only captures that are new are written. */
  put(model: ObservedModel, evidence: Evidence): void {
    const before = this.chained(model) ?? { evidence: Evidence.none, chain: '' };
    const known = before.evidence.told.length;
    const added = evidence.told.slice(known).map(({ source, configSpaceDigest: digest, inUse }): StoredCapture =>
      ({ source, digest, in_use: JSON.stringify(inUse) }));
    const chain = added.reduce(linked, before.chain);
    this.statements.putModel.run(model, evidence.looked, sealOf(chain, evidence.looked));
    for (const [index, { source, digest, in_use: inUse }] of added.entries()) {
      this.statements.addCapture.run(model, known + index, source, digest, inUse);
    }
    this.keep(model, { evidence, chain });
  }

  /** What was put may not be in the tables. */
  forget(): void {
    this.kept.clear();
  }

  private chained(model: ObservedModel): Chained | undefined {
    const known = this.kept.get(model);
    if (known) return known;
    const row = this.statements.model.get(model) as StoredModel | undefined;
    return row && this.keep(model, this.read(row));
  }

  private keep(model: ObservedModel, read: Chained): Chained {
    if (this.kept.size >= keptMax) this.kept.clear();
    this.kept.set(model, read);
    return read;
  }

  private read({ name, looked, seal }: StoredModel): Chained {
    const captures = this.statements.captures.all(name) as unknown as readonly StoredCapture[];
    const chain = captures.reduce(linked, '');
    if (sealOf(chain, looked) !== seal) throw new ViewsUnusable(`the evidence on ${name} is not what was written`);
    const told = captures.map(({ source, digest, in_use: inUse }): CaptureTold =>
      ({ source, configSpaceDigest: digest, inUse: JSON.parse(inUse) as CaptureTold['inUse'] }));
    return { evidence: Evidence.from(told, looked), chain };
  }
}

function linked(chain: string, { source, digest, in_use: inUse }: StoredCapture): string {
  return hash('sha256', `${chain} ${source} ${digest} ${inUse}`);
}

function sealOf(chain: string, looked: number): string {
  return hash('sha256', `${chain} ${looked}`);
}
