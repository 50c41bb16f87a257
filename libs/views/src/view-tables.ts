import { createHash } from 'node:crypto';
import { type DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type Digest, type Evidence } from '@cadastre/device-layout';
import { type RecordedEvent } from '@cadastre/event-store';
import { deviceStream, functionStream, type HostName, migrationStream } from '@cadastre/lifecycle';
import { type Clash } from './clash.js';
import { EvidenceTable } from './evidence-table.js';
import { KeyedTable } from './keyed-table.js';
import { KindTable } from './kind-table.js';
import { type ObservedModel } from './observed-model.js';
import { type RowChange, type RowsBefore, viewNames, type ViewName } from './projection.js';
import {
  deviceKind, deviceOf, deviceValues, functionKind, functionOf, functionValues, migrationOf, migrationValues,
  type StoredDevice, type StoredFunction, type StoredMigration,
} from './view-rows.js';

/** The last event a view has taken in. Its hash tells the log it came from from every other. */
export type Checkpoint = Pick<RecordedEvent, 'position' | 'id' | 'sha256'>;

/** What the views hold at one moment. */
export interface ViewState {
  /** How far each view is; null where it has not begun. */
  readonly positions: readonly (number | null)[];
  readonly rows: Readonly<Record<ViewName, number>>;
  /** Names all rows and checkpoints: equal for equal rows, however they came about. */
  readonly digest: Digest;
}

const ofFunctionKind = 'CROSS JOIN function_kind ON function_kind.id = kind';
const ofDeviceKind = 'CROSS JOIN device_kind ON device_kind.id = kind';

const sql = {
  function: `SELECT * FROM function ${ofFunctionKind} WHERE stream = ?`,
  device: `SELECT * FROM device ${ofDeviceKind} WHERE stream = ?`,
  migration: 'SELECT * FROM migration WHERE stream = ?',
  addMember: 'INSERT OR IGNORE INTO family (host, pf, stream) VALUES (?, ?, ?)',
  virtualFunctions: `SELECT * FROM function INDEXED BY function_by_pf ${ofFunctionKind}
    WHERE host = ? AND pf = ? ORDER BY stream`,
  withSerial: `SELECT * FROM function INDEXED BY function_by_serial ${ofFunctionKind}
    WHERE serial_number = ? AND host <> ? AND NOT retired ORDER BY stream LIMIT CAST(? AS INTEGER)`,
  addClash: 'INSERT INTO clash (kind, position, recorded_at, streams, detail) VALUES (?, ?, ?, ?, ?)',
  addParty: 'INSERT OR IGNORE INTO clash_party (party, clash) VALUES (?, ?)',
  checkpoint: 'SELECT position, event_id AS id, sha256 FROM checkpoint WHERE view = ?',
  setCheckpoint: 'INSERT OR REPLACE INTO checkpoint (view, position, event_id, sha256) VALUES (?, ?, ?, ?)',
} as const;

/** Everything in the tables, and the same for the same rows: kinds are told without their numbers. */
const dumps = [
  `SELECT *, NULL AS kind FROM function ${ofFunctionKind} ORDER BY stream`,
  `SELECT *, NULL AS kind FROM device ${ofDeviceKind} ORDER BY stream`,
  'SELECT * FROM family ORDER BY host, pf, stream',
  'SELECT * FROM migration ORDER BY stream',
  'SELECT * FROM clash ORDER BY id',
  'SELECT * FROM clash_party ORDER BY party, clash',
  'SELECT * FROM model ORDER BY name',
  'SELECT * FROM model_capture ORDER BY model, place',
] as const;

/** The tables of all views in one SQLite connection: what was, what changes, how far. */
export class ViewTables implements RowsBefore {
  private readonly statements: { readonly [Name in keyof typeof sql]: StatementSync };

  private readonly functions: KeyedTable;
  private readonly devices: KeyedTable;
  private readonly migrations: KeyedTable;
  private readonly functionKinds: KindTable;
  private readonly deviceKinds: KindTable;
  private readonly evidences: EvidenceTable;

  constructor(private readonly db: DatabaseSync) {
    this.functions = new KeyedTable(db, 'function');
    this.devices = new KeyedTable(db, 'device');
    this.migrations = new KeyedTable(db, 'migration');
    this.functionKinds = new KindTable(db, 'function_kind');
    this.deviceKinds = new KindTable(db, 'device_kind');
    this.evidences = new EvidenceTable(db);
    const prepared = Object.entries(sql).map(([name, text]) => [name, db.prepare(text)] as const);
    this.statements = Object.fromEntries(prepared) as ViewTables['statements'];
  }

  /** All of the work or none of it, whatever it throws. */
  atomically<T>(work: () => T): T {
    this.db.exec('BEGIN IMMEDIATE');
    try {
      const done = work();
      this.db.exec('COMMIT');
      return done;
    } finally {
      if (this.db.isTransaction) {
        this.db.exec('ROLLBACK');
        this.evidences.forget();
      }
    }
  }

  readonly function: RowsBefore['function'] = (key) => {
    const stored = get<StoredFunction>(this.statements.function, functionStream(key));
    return stored && functionOf(stored);
  };

  readonly device: RowsBefore['device'] = (key) => {
    const stored = get<StoredDevice>(this.statements.device, deviceStream(key));
    return stored && deviceOf(stored);
  };

  readonly migration: RowsBefore['migration'] = (key) => {
    const stored = get<StoredMigration>(this.statements.migration, migrationStream(key));
    return stored && migrationOf(stored);
  };

  readonly virtualFunctionsOf: RowsBefore['virtualFunctionsOf'] = ({ host, address }) =>
    all<StoredFunction>(this.statements.virtualFunctions, host, address).map(functionOf);

  elsewhereWithSerial(serialNumber: string, host: HostName, limit: number): ReturnType<
    RowsBefore['elsewhereWithSerial']
  > {
    return all<StoredFunction>(this.statements.withSerial, serialNumber, host, limit).map(functionOf);
  }

  evidence(model: ObservedModel): Evidence | undefined {
    return this.evidences.of(model);
  }

  /** The evidence on every model. Throws `ViewsUnusable` when a row is not what was written. */
  allEvidence(): ReadonlyMap<ObservedModel, Evidence> {
    return this.evidences.all();
  }

  apply(change: RowChange): void {
    switch (change.kind) {
      case 'function': {
        const { row } = change;
        return this.functions.put(functionValues(row, this.functionKinds.numberOf(functionKind(row))));
      }
      case 'device': {
        const { row } = change;
        return this.devices.put(deviceValues(row, this.deviceKinds.numberOf(deviceKind(row))));
      }
      case 'migration': return this.migrations.put(migrationValues(change.row));
      case 'member': {
        const { key, pf } = change;
        this.statements.addMember.run(key.host, pf, functionStream(key));
        return;
      }
      case 'clash': return this.addClash(change.clash);
      case 'evidence': return this.evidences.put(change.model, change.evidence);
    }
  }

  checkpoint(view: ViewName): Checkpoint | undefined {
    return get<Checkpoint>(this.statements.checkpoint, view);
  }

  setCheckpoint(view: ViewName, { position, id, sha256 }: Checkpoint): void {
    this.statements.setCheckpoint.run(view, position, id, sha256);
  }

  /** Everything of one moment, also beside a writer. */
  state(): ViewState {
    this.db.exec('BEGIN');
    try {
      const positions = viewNames.map((view) => this.checkpoint(view)?.position ?? null);
      const rows = {
        functions: this.count('function'), devices: this.count('device'), migrations: this.count('migration'),
        clashes: this.count('clash'), evidence: this.count('model'),
      };
      return { positions, rows, digest: this.digest() };
    } finally {
      this.db.exec('ROLLBACK');
    }
  }

  private digest(): Digest {
    const hash = createHash('sha256');
    for (const view of viewNames) hash.update(`${view} ${JSON.stringify(this.checkpoint(view) ?? null)}\n`);
    for (const dump of dumps) {
      hash.update(`${dump}\n`);
      for (const row of this.db.prepare(dump).iterate()) hash.update(`${JSON.stringify({ ...row, id: null })}\n`);
    }
    return `sha256:${hash.digest('hex')}` as Digest;
  }

  private count(table: 'function' | 'device' | 'migration' | 'clash' | 'model'): number {
    return get<{ rows: number }>(this.db.prepare(`SELECT count(*) AS rows FROM ${table}`))?.rows ?? 0;
  }

  close(): void {
    this.db.close();
  }

  private addClash({ kind, position, recordedAt, streams, detail }: Clash): void {
    const { addClash, addParty } = this.statements;
    const told = [JSON.stringify(streams), JSON.stringify(detail)] as const;
    const { lastInsertRowid } = addClash.run(kind, position, recordedAt, ...told);
    for (const stream of streams) addParty.run(partyOf(stream), lastInsertRowid);
  }
}

/** The host or VM a stream belongs to: `function-<host>`, `device-<vm>`. */
export function partyOf(stream: string): string {
  return stream.slice(0, stream.lastIndexOf('/'));
}

function get<Row>(statement: StatementSync, ...given: SQLInputValue[]): Row | undefined {
  return statement.get(...given) as Row | undefined;
}

function all<Row>(statement: StatementSync, ...given: SQLInputValue[]): readonly Row[] {
  return statement.all(...given) as unknown as readonly Row[];
}
