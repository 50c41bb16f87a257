import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type FunctionKey, type RegisteredFunction } from '@cadastre/lifecycle';
import { type QueryOutcome } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';
import { FunctionIndex, type FunctionRow } from './function-index.js';

/** A PF and its VFs, as far as they are registered. */
export interface Family {
  /** Null when the function is in no family, or its PF was never told. */
  readonly physicalFunction: { readonly key: FunctionKey; readonly state: RegisteredFunction | null } | null;
  readonly virtualFunctions: readonly FunctionRow[];
}

/** The SR-IOV family a function belongs to, whichever member is asked for. */
export class GetFamily extends Query<QueryOutcome<Family>> {
  constructor(readonly key: FunctionKey) {
    super();
  }
}

@QueryHandler(GetFamily)
export class GetFamilyHandler implements IQueryHandler<GetFamily> {
  constructor(private readonly reader: StreamReader, private readonly index: FunctionIndex) {}

  async execute({ key }: GetFamily): Promise<QueryOutcome<Family>> {
    const { state } = await this.reader.function(key);
    if (state.kind === 'unregistered') return { kind: 'refused', refusal: { kind: 'function-unknown', ...key } };
    return { kind: 'found', view: await this.familyOf(state), revision: state.revision };
  }

  private async familyOf({ key, observation }: RegisteredFunction): Promise<Family> {
    const sriov = observation?.facts.sriov;
    const address = sriov?.role === 'pf' ? key.address : sriov?.pf ?? null;
    if (address === null) return { physicalFunction: null, virtualFunctions: [] };
    const pf = { host: key.host, address };
    const { state } = await this.reader.function(pf);
    return {
      physicalFunction: { key: pf, state: state.kind === 'registered' ? state : null },
      virtualFunctions: await this.index.virtualFunctions(pf),
    };
  }
}
