import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Position } from '@cadastre/event-store';
import { type FunctionKey, functionStream, type RegisteredFunction } from '@cadastre/lifecycle';
import { type FunctionRow, Views } from '@cadastre/views';
import { absent } from '../absent.js';
import { answered, type ListOutcome } from '../lists/list-outcome.js';
import { functionThen } from '../lists/rows-then.js';
import { type QueryOutcome } from '../outcome.js';
import { asOf, StreamReader } from '../stream-reader.js';

/** A PF and its VFs, as far as they are registered. */
export interface Family {
  /** Null when the function is in no family, or its PF was never told. */
  readonly physicalFunction: { readonly key: FunctionKey; readonly state: RegisteredFunction | null } | null;
  readonly virtualFunctions: readonly FunctionRow[];
}

/** The SR-IOV family a function belongs to, whichever member is asked for, now or as of a position. */
export class GetFamily extends Query<QueryOutcome<Family>> {
  constructor(readonly key: FunctionKey, readonly at: Position | null = null) {
    super();
  }
}

/** NumVFs is a 16-bit register. PCIe Base Specification, "NumVFs". */
const virtualFunctionsMax = 0xffff;

@QueryHandler(GetFamily)
export class GetFamilyHandler implements IQueryHandler<GetFamily> {
  constructor(private readonly reader: StreamReader, private readonly views: Views) {}

  async execute({ key, at }: GetFamily): Promise<QueryOutcome<Family>> {
    const { state } = await this.reader.function(key, asOf(at));
    if (state.kind === 'unregistered') {
      return absent(this.reader, functionStream(key), at, { kind: 'function-unknown', ...key });
    }
    const { revision } = state;
    const pf = physicalFunctionOf(state);
    if (!pf) return { kind: 'found', view: { physicalFunction: null, virtualFunctions: [] }, revision };
    const listed = at === null ? await this.membersNow(pf) : await this.membersThen(pf, at);
    if (listed.kind === 'refused') return listed;
    const { state: physical } = await this.reader.function(pf, asOf(at));
    const physicalFunction = { key: pf, state: physical.kind === 'registered' ? physical : null };
    return { kind: 'found', view: { physicalFunction, virtualFunctions: listed.rows }, revision };
  }

  private membersNow({ host, address }: FunctionKey): Promise<ListOutcome<FunctionRow>> {
    const filter = { host, pf: address };
    return answered(this.views.functions(filter, '', virtualFunctionsMax), ({ key }) => functionStream(key));
  }

  /** Whoever ever named the PF is looked at: what it said then is in its own stream. */
  private async membersThen(pf: FunctionKey, at: Position): Promise<ListOutcome<FunctionRow>> {
    const ever = await answered(this.views.membersEver(pf, virtualFunctionsMax), ({ key }) => functionStream(key));
    if (ever.kind === 'refused') return ever;
    const then = await Promise.all(ever.rows.map((member) => functionThen(member, at, this.reader)));
    return { ...ever, rows: then.filter((row) => row?.pf === pf.address).flatMap((row) => row ?? []) };
  }
}

/** The PF of the family a function says it is in: itself, when it is one. */
function physicalFunctionOf({ key, observation }: RegisteredFunction): FunctionKey | undefined {
  const sriov = observation?.facts.sriov;
  const address = sriov?.role === 'pf' ? key.address : sriov?.pf ?? null;
  return address === null ? undefined : { host: key.host, address };
}
