import { explainVerdictReason } from '@cadastre/device-layout';
import {
  type DeviceKey, deviceStream, type FunctionKey, functionStream, isImportEvent, isMigrationEvent, isPasidEvent,
  isVmEvent, type LedgerEvent,
} from '@cadastre/lifecycle';
import { type Clash, clashStreamsMax, dangersTold } from './clash.js';
import { deviceKeyOf } from './device-projection.js';
import { dangersDigest, ownModel } from './function-projection.js';
import { type FunctionRow } from './function-row.js';
import { functionKeyOf, type ObservedFunction } from './observed-function.js';
import { type Projection, type RowsBefore, type ToldEvent } from './projection.js';

/** The list of clashes: nothing here is refused, it was recorded; but somebody has to look at it. */
export const clashProjection: Projection = {
  name: 'clashes',
  reads: ['functions', 'devices'],
  project(told, before) {
    const { stream, position, recordedAt } = told;
    return findingsIn(told, before).map(({ streams, ...finding }) => ({
      kind: 'clash',
      clash: { ...finding, position, recordedAt, streams: [stream, ...streams].slice(0, clashStreamsMax) },
    }));
  },
};

/** A clash without its place; `streams` are the others. */
type Found = Pick<Clash, 'kind' | 'streams' | 'detail'>;

function findingsIn({ event, seen, stream }: ToldEvent, before: RowsBefore): readonly Found[] {
  if (isPasidEvent(event) || isMigrationEvent(event) || isVmEvent(event) || isImportEvent(event)) return [];
  switch (event.type) {
    case 'FunctionObserved': case 'HostFactsObserved': {
      if (!seen) return [];
      const key = functionKeyOf(stream);
      const row = before.function(key);
      return [
        ...changedWhileHeld(event.holder, seen, row, before),
        ...endangered(event, row, before),
        ...familyDisagrees(key, seen, row, before),
        ...seenElsewhere(key, seen, row, before),
      ];
    }
    case 'DeviceAttached': return pfUnregistered(event.function, before);
    case 'DeviceMoved': return pfUnregistered(event.to, before);
    case 'LayoutImported': return event.function ? pfUnregistered(event.function, before) : [];
    case 'LayoutDiverged': return [diverged(event, stream, before)];
    case 'FunctionRegistered': case 'ObservationConfirmed': case 'FunctionClaimed': case 'FunctionReleased':
    case 'FunctionRetired': case 'SharedCapabilityUsed': case 'SharedCapabilityFreed':
    case 'LayoutDecided': case 'LayoutConfirmed': case 'DeviceDetached': case 'PersonaPublished': return [];
  }
}

/** A device that claims a function for a move does not run on it yet: the event says who did. */
function changedWhileHeld(
  holder: DeviceKey | null, seen: ObservedFunction, row: FunctionRow | undefined, before: RowsBefore,
): readonly Found[] {
  if (!holder || !row || row.structure === seen.structure) return [];
  const streams = [deviceStream(holder)];
  if (ownModel(row) !== ownModel(seen)) {
    const detail = { was: ownModel(row), is: ownModel(seen) };
    return [{ kind: 'identity-changed-while-claimed', streams, detail }];
  }
  const layoutDigest = before.device(holder)?.layoutDigest ?? null;
  const detail = { was: row.structure, is: seen.structure, layoutDigest };
  return [{ kind: 'structure-changed-under-layout', streams, detail }];
}

/** Told once, and again when the dangers are others. */
function endangered(
  { holder, dangers }: Extract<LedgerEvent, { type: 'FunctionObserved' | 'HostFactsObserved' }>,
  row: FunctionRow | undefined, before: RowsBefore,
): readonly Found[] {
  if (!holder || dangers.length === 0 || row?.dangers === dangersDigest(dangers)) return [];
  const words = dangers.slice(0, dangersTold).map(explainVerdictReason);
  const left = dangers.length - words.length;
  const detail = {
    layoutDigest: before.device(holder)?.layoutDigest ?? null,
    dangers: [...words, ...(left > 0 ? [`and ${left} more`] : [])].join('; '),
  };
  return [{ kind: 'layout-endangered', streams: [deviceStream(holder)], detail }];
}

/** Told once, by whichever of the two is seen last. */
function familyDisagrees(
  key: FunctionKey, seen: ObservedFunction, row: FunctionRow | undefined, before: RowsBefore,
): readonly Found[] {
  const found: Found[] = [];
  const stated = seen.pf === null ? undefined : { host: key.host, address: seen.pf };
  // Some name themselves.
  const role = seen.pf === key.address ? seen.role : stated && before.function(stated)?.role;
  if (stated && role !== undefined && role !== 'pf' && row?.pf !== seen.pf) {
    const detail = { pf: functionStream(stated), role };
    found.push({ kind: 'stated-pf-is-no-pf', streams: [functionStream(stated)], detail });
  }
  if (seen.role !== 'pf' && row?.role !== seen.role) {
    const virtual = before.virtualFunctionsOf(key).map((one) => functionStream(one.key))
      .filter((one) => one !== functionStream(key));
    const detail = { pf: functionStream(key), role: seen.role };
    if (virtual.length > 0) found.push({ kind: 'stated-pf-is-no-pf', streams: virtual, detail });
  }
  return found;
}

/** Functions of one card share its number on one host; on two hosts they cannot. */
function seenElsewhere(
  { host }: FunctionKey, { serialNumber }: ObservedFunction, row: FunctionRow | undefined, before: RowsBefore,
): readonly Found[] {
  if (serialNumber === null || (row?.serialNumber === serialNumber && !row.isRetired)) return [];
  const others = before.elsewhereWithSerial(serialNumber, host, clashStreamsMax);
  if (others.length === 0) return [];
  const streams = others.map(({ key }) => functionStream(key));
  return [{ kind: 'serial-number-on-two-hosts', streams, detail: { serialNumber } }];
}

function diverged(
  { comparedWith, guestConfigSpaceDigest, missing, cause }: Extract<LedgerEvent, { type: 'LayoutDiverged' }>,
  stream: string, before: RowsBefore,
): Found {
  const device = before.device(deviceKeyOf(stream));
  const detail = {
    comparedWith, guestConfigSpaceDigest, layoutDigest: device?.layoutDigest ?? null,
    missing: missing.map(({ name }) => name).join(', '), likelyProfile: cause?.profile ?? null,
  };
  const streams = device?.function ? [functionStream(device.function)] : [];
  return { kind: 'guest-sees-another-layout', streams, detail };
}

function pfUnregistered(key: FunctionKey, before: RowsBefore): readonly Found[] {
  const pf = before.function(key)?.pf ?? null;
  const stated = pf === null ? undefined : { host: key.host, address: pf };
  if (!stated || before.function(stated)) return [];
  const detail = { pf: functionStream(stated) };
  return [{ kind: 'stated-pf-is-unregistered', streams: [functionStream(key)], detail }];
}
