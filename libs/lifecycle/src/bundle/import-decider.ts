import { ok, refuse, type Result } from '@cadastre/config-space';
import { type Digest, type Verdict } from '@cadastre/device-layout';
import { type Decider } from '../decider.js';
import { type ImpossibleMove, type Moved } from '../migration/plan-move.js';
import { type DeviceId, type ImportId, type VmId } from '../name.js';
import { type FunctionKey, functionStream } from '../stream-key.js';
import { type LayoutDigests } from './bundle-line.js';
import { type Bundle, type BundledDevice } from './read-bundle.js';

/** An import of one VM. */
export interface ImportKey {
  readonly vm: VmId;
  readonly id: ImportId;
}

/** What an import made of one device. */
export interface ImportedTo {
  readonly device: DeviceId;
  readonly state: BundledDevice['state'];
  /** What the bundle tells, and what was rebuilt from it here. */
  readonly source: LayoutDigests & { readonly function: FunctionKey; readonly revision: number };
  /** Where it is now; null for a device that was detached. */
  readonly target: (LayoutDigests & { readonly function: FunctionKey; readonly verdict: Verdict }) | null;
}

/** The facts of stream `import-<vm>/<id>`. Frozen: a change of shape is a new schema and an upcast. */
export type ImportEvent =
  { readonly type: 'BundleImported'; readonly schema: 1; readonly vm: VmId; readonly id: ImportId;
    readonly format: string; readonly bundle: Digest; readonly position: number; readonly events: number;
    readonly layouts: number; readonly devices: readonly ImportedTo[] };

export type ImportCommand =
  { readonly kind: 'import-bundle'; readonly key: ImportKey; readonly format: string; readonly bundle: Bundle;
    /** Where each device goes, in the order of the bundle; null for one that was detached. */
    readonly moves: readonly (Moved | null)[] };

export type ImportState = { readonly kind: 'unknown' } | KnownImport;
export interface KnownImport extends Omit<ImportEvent, 'type' | 'schema' | 'vm' | 'id'> {
  readonly kind: 'imported';
  readonly key: ImportKey;
}

export type ImportRefusal =
  { readonly kind: 'import-impossible'; readonly vm: string; readonly devices: readonly ImpossibleMove[] };

/** What may happen to an import: it is carried out, all devices or none. */
export const importDecider: Decider<ImportCommand, ImportState, ImportEvent, ImportRefusal> = {
  initial: { kind: 'unknown' },
  decide: (command) => importBundle(command),
  evolve(_state, { vm, id, format, bundle, position, events, layouts, devices }) {
    return { kind: 'imported', key: { vm, id }, format, bundle, position, events, layouts, devices };
  },
};

function importBundle(
  { key, format, bundle, moves }: ImportCommand,
): Result<readonly ImportEvent[], ImportRefusal> {
  const targets = moves.map((moved) => moved && functionStream(moved.move.target));
  const impossible = moves.flatMap((moved, index): ImpossibleMove[] => {
    if (moved?.kind === 'impossible') return [moved.move];
    if (!moved || targets.indexOf(functionStream(moved.move.target)) === index) return [];
    return [{ device: moved.move.device, target: moved.move.target, verdict: null,
      reasons: ['another device goes there'] }];
  });
  if (impossible.length > 0) return refuse({ kind: 'import-impossible', vm: key.vm, devices: impossible });
  const { position, events, layouts, digest } = bundle;
  const devices = bundle.devices.map((device, index) => importedTo(device, moves[index] ?? null));
  return ok([{
    type: 'BundleImported', schema: 1, ...key, format, bundle: digest, position, events, layouts, devices,
  }]);
}

function importedTo(
  { key: { device }, state, layout, function: was, revision }: BundledDevice, moved: Moved | null,
): ImportedTo {
  const move = moved?.kind === 'possible' ? moved.move : null;
  return {
    device, state, source: { ...digestsOf(layout), function: was, revision },
    target: move && { ...digestsOf(move.layout), function: move.target, verdict: move.verdict },
  };
}

function digestsOf({ layoutDigest, guestConfigSpaceDigest }: LayoutDigests): LayoutDigests {
  return { layoutDigest, guestConfigSpaceDigest };
}
