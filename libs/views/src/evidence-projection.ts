import { Evidence } from '@cadastre/device-layout';
import { ObservedModel } from './observed-model.js';
import { type Projection } from './projection.js';

/** What all observations of each model told about its bytes. */
export const evidenceProjection: Projection = {
  name: 'evidence',
  reads: [],
  project({ observation, surveyed, stream, revision }, before) {
    if (!observation || !surveyed) return [];
    const model = ObservedModel.of(observation);
    const known = before.evidence(model) ?? Evidence.none;
    const evidence = known.with({ source: `${stream}@${revision}`, survey: surveyed });
    return [{ kind: 'evidence', model, evidence }];
  },
};
