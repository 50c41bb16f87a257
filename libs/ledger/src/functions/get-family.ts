import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type FunctionKey, type RegisteredFunction } from '@cadastre/lifecycle';
import { type FunctionRow, Views } from '@cadastre/views';
import { answered } from '../lists/list-outcome.js';
import { type QueryOutcome } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';

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

/** NumVFs is a 16-bit register. PCIe Base Specification, "NumVFs". */
const virtualFunctionsMax = 0xffff;

@QueryHandler(GetFamily)
export class GetFamilyHandler implements IQueryHandler<GetFamily> {
  constructor(private readonly reader: StreamReader, private readonly views: Views) {}

  async execute({ key }: GetFamily): Promise<QueryOutcome<Family>> {
    const { state } = await this.reader.function(key);
    if (state.kind === 'unregistered') return { kind: 'refused', refusal: { kind: 'function-unknown', ...key } };
    const { revision } = state;
    const pf = physicalFunctionOf(state);
    if (!pf) return { kind: 'found', view: { physicalFunction: null, virtualFunctions: [] }, revision };
    const listed = await answered(this.views.functions({ host: pf.host, pf: pf.address }, '', virtualFunctionsMax));
    if (listed.kind === 'refused') return listed;
    const { state: physical } = await this.reader.function(pf);
    const physicalFunction = { key: pf, state: physical.kind === 'registered' ? physical : null };
    return { kind: 'found', view: { physicalFunction, virtualFunctions: listed.rows }, revision };
  }
}

/** The PF of the family a function says it is in: itself, when it is one. */
function physicalFunctionOf({ key, observation }: RegisteredFunction): FunctionKey | undefined {
  const sriov = observation?.facts.sriov;
  const address = sriov?.role === 'pf' ? key.address : sriov?.pf ?? null;
  return address === null ? undefined : { host: key.host, address };
}
