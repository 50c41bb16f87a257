import {
  type Decider, deviceDecider, type DeviceState, type ForFold, functionDecider, type FunctionState, importDecider,
  type ImportState, isDeviceEvent, isFunctionEvent, isImportEvent, isMigrationEvent, isPersonaEvent, isVmEvent,
  type LedgerEvent, migrationDecider, type MigrationState, personaDecider, type PersonaState, readDeviceState,
  type StateText, vmDecider, type VmState, writeDeviceState,
} from '@cadastre/lifecycle';

/** Characters of the events a state was folded from. */
export interface FoldedText {
  readonly largest: number;
  readonly all: number;
}

/** One kind of stream: how it is folded, how its states are kept, and what they weigh. */
export interface StreamKind<State> {
  readonly initial: State;
  evolve(state: State, event: ForFold<LedgerEvent>): State;
  write(state: State): StateText;
  /** Undefined when a part of the text is lost. */
  read(text: string, partNamed: (name: string) => string | undefined): State | undefined;
  /** How many events are folded between two states that are kept in the file. */
  savedEvery(state: State): number;
  /** Bytes of memory, about, and rather too many. */
  weigh(state: State, folded: FoldedText): number;
}

/** Folding so many events takes some 5 ms, which nobody minds. */
const savedEveryMin = 256;

/** A parsed object takes about twice as many bytes as its text has characters. */
const parsedPerCharacter = 2;

/** A page table of a PASID with its slot. */
const pasidBytes = 256;

/** A device that uses a capability of a PF. */
const userBytes = 256;

export const functionKind: StreamKind<FunctionState> = kindOf(functionDecider, isFunctionEvent, {
  // The observation is the largest part; a new one takes the place of the one before.
  weigh: (state, { largest }) => parsedPerCharacter * largest
    + (state.kind === 'unregistered' ? 0 : userBytes * (state.users.pasid.length + state.users.pri.length)),
});

export const deviceKind: StreamKind<DeviceState> = kindOf(deviceDecider, isDeviceEvent, {
  write: writeDeviceState,
  read: readDeviceState,
  // In the worst case all of its PASIDs are written again: not more often than they are worth.
  savedEvery: (state) => Math.max(savedEveryMin, Math.ceil(pasidsOf(state) / 32)),
  weigh: (state, { largest }) => parsedPerCharacter * largest + pasidBytes * pasidsOf(state),
});

export const personaKind: StreamKind<PersonaState> = kindOf(personaDecider, isPersonaEvent, {});

export const migrationKind: StreamKind<MigrationState> = kindOf(migrationDecider, isMigrationEvent, {});

export const importKind: StreamKind<ImportState> = kindOf(importDecider, isImportEvent, {});

export const vmKind: StreamKind<VmState> = kindOf(vmDecider, isVmEvent, {
  // Whatever a VM went through, its state is one of a few words.
  weigh: (_state, { largest }) => parsedPerCharacter * largest,
});

const kinds = new Map<string, unknown>([
  ['function', functionKind], ['device', deviceKind], ['persona', personaKind], ['migration', migrationKind],
  ['import', importKind], ['vm', vmKind],
]);

/** The kind of a stream by its name; its states are those of this kind and of no other. */
export function kindOfStream(stream: string): StreamKind<unknown> {
  const kind = kinds.get(stream.slice(0, stream.indexOf('-')));
  if (kind) return kind as StreamKind<unknown>;
  throw new Error(`${stream} is a stream of no known kind`);
}

function kindOf<Command, State, Event, Refusal, Own extends ForFold<LedgerEvent>>(
  { initial, evolve }: Pick<Decider<Command, State, Event, Refusal, Own>, 'initial' | 'evolve'>,
  isOwn: (event: ForFold<LedgerEvent>) => event is Own, own: Partial<StreamKind<State>>,
): StreamKind<State> {
  return {
    initial,
    evolve(state, event) {
      if (isOwn(event)) return evolve(state, event);
      throw new Error(`a stream of another kind holds ${event.type}`);
    },
    write: (state) => ({ text: JSON.stringify(state), parts: [] }),
    read: (text) => JSON.parse(text) as State,
    savedEvery: () => savedEveryMin,
    weigh: (_state, { all }) => parsedPerCharacter * all,
    ...own,
  };
}

function pasidsOf(state: DeviceState): number {
  return state.kind === 'attached' ? state.pasids.attached.count : 0;
}
