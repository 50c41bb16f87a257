import { type Digest, writeLayoutDocument } from '@cadastre/device-layout';
import {
  type DecidedLayout, type DeviceEvent, type ObservationReference, type PersonaReference,
} from '../device/device-events.js';
import { type Observation } from '../function/observation.js';
import { decidedDocument } from '../migration/guest-document.js';
import { type PersonaName } from '../name.js';
import { personaStream } from '../stream-key.js';
import { type BundleLine } from './bundle-line.js';

/** An event that a layout stands on, beside its own. */
export interface Needed {
  readonly stream: string;
  readonly revision: number;
}

/** The observations a layout cannot be checked without, in the order they have to stand before it. */
export function neededBy(event: DeviceEvent): readonly Needed[] {
  if (event.type !== 'LayoutDecided') return [];
  return [event.observation, event.physicalFunction].filter((one): one is ObservationReference => one !== null)
    .map(({ stream, revision }) => ({ stream, revision }));
}

/** Where a ledger that published a persona has it. */
export function publishedAt({ name, version }: PersonaReference): Needed {
  // It was a name when it was recorded.
  return { stream: personaStream(name as PersonaName), revision: version - 1 };
}

/** The line that follows an event which brings a layout. */
export function layoutLine(
  { stream, revision }: Needed, layout: DecidedLayout, observed: Observation, plugins: readonly Digest[],
): BundleLine {
  const document: unknown = JSON.parse(writeLayoutDocument(decidedDocument(layout, observed)));
  const { layoutDigest, guestConfigSpaceDigest } = layout;
  return { line: 'layout', stream, revision, layoutDigest, guestConfigSpaceDigest, plugins, document };
}
