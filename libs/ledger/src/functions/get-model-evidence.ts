import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type ConfigSpace, type SriovRole } from '@cadastre/config-space';
import { Digest, type Evidence } from '@cadastre/device-layout';
import { ModelEvidence } from './model-evidence.js';

/** What all observations of a function's model told; null when nobody else of its model told anything. */
export class GetModelEvidence extends Query<Evidence | null> {
  constructor(readonly space: ConfigSpace, readonly role: SriovRole) {
    super();
  }
}

@QueryHandler(GetModelEvidence)
export class GetModelEvidenceHandler implements IQueryHandler<GetModelEvidence> {
  constructor(private readonly evidence: ModelEvidence) {}

  execute({ space, role }: GetModelEvidence): Promise<Evidence | null> {
    const bytes = space.toBytes();
    return this.evidence.of({
      configSpace: Buffer.from(bytes).toString('base64'), configSpaceDigest: Digest.of(bytes), sriov: { role } });
  }
}
