import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type PasidRequest } from '@cadastre/device-layout';
import {
  askedPasid, type DeviceKey, deviceStream, type PasidCheck, pasidChecks, type PasidPlatform, visiblePasid,
} from '@cadastre/lifecycle';
import { DamagedHistory } from '../damaged-history.js';
import { type QueryOutcome } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';

/** Whether the guest of a device could use PASID, condition by condition. Nothing is recorded. */
export class CheckPasid extends Query<QueryOutcome<readonly PasidCheck[]>> {
  constructor(readonly key: DeviceKey, readonly request: PasidRequest, readonly platform: PasidPlatform) {
    super();
  }
}

@QueryHandler(CheckPasid)
export class CheckPasidHandler implements IQueryHandler<CheckPasid> {
  constructor(private readonly reader: StreamReader) {}

  async execute({ key, request, platform }: CheckPasid): Promise<QueryOutcome<readonly PasidCheck[]>> {
    const { state } = await this.reader.device(key);
    if (state.kind === 'unknown') return { kind: 'refused', refusal: { kind: 'device-unknown', ...key } };
    if (state.kind !== 'attached' || !state.layout) {
      return { kind: 'refused', refusal: { kind: 'device-not-attached', ...key } };
    }
    const { state: owned } = await this.reader.function(state.function);
    const seen = owned.kind === 'registered' ? owned.observation?.facts : undefined;
    if (!seen) throw new DamagedHistory(deviceStream(key), 'it is attached to a function that was never observed');
    const visible = visiblePasid(state.layout);
    const checks = pasidChecks(askedPasid(request, visible), visible, seen, platform);
    return { kind: 'found', view: checks, revision: state.revision };
  }
}
