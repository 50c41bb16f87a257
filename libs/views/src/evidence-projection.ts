import { Evidence } from '@cadastre/device-layout';
import { ObservedModel } from './observed-model.js';
import { type Projection } from './projection.js';

/** What all observations of each model told about its bytes. */
export const evidenceProjection: Projection = {
  name: 'evidence',
  reads: [],
  project({ event, surveyed, stream, revision }, before) {
    if (event.type !== 'FunctionObserved' || !surveyed) return [];
    const model = ObservedModel.of(event);
    const known = before.evidence(model) ?? Evidence.none;
    const evidence = known.with({ source: `${stream}@${revision}`, survey: surveyed });
    return [{ kind: 'evidence', model, evidence }];
  },
};
