import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type PasidRequest } from '@cadastre/device-layout';
import {
  askedPasid, type DeviceKey, notAttached, type PasidCheck, pasidChecks, type PasidPlatform,
} from '@cadastre/lifecycle';
import { type QueryOutcome } from '../outcome.js';
import { StreamReader } from '../stream-reader.js';
import { pasidGround } from './pasid-ground.js';

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
    if (state.kind !== 'attached') return { kind: 'refused', refusal: notAttached(key, state) };
    const { seen, visible } = await pasidGround(state, this.reader);
    const checks = pasidChecks(askedPasid(request, visible.pasid), visible, seen, platform);
    return { kind: 'found', view: checks, revision: state.revision };
  }
}
