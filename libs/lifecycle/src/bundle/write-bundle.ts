import { type Digest, writeLayoutDocument } from '@cadastre/device-layout';
import { type DecidedLayout, type DeviceEvent, type ObservationReference } from '../device/device-events.js';
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

/** The events a layout cannot be checked without, in the order they have to stand before it. */
export function neededBy(event: DeviceEvent): readonly Needed[] {
  if (event.type !== 'LayoutDecided') return [];
  const { observation, physicalFunction, persona } = event;
  const needed = [observation, physicalFunction].filter((one): one is ObservationReference => one !== null)
    .map(({ stream, revision }): Needed => ({ stream, revision }));
  // It was a name when it was recorded.
  if (persona) needed.push({ stream: personaStream(persona.name as PersonaName), revision: persona.version - 1 });
  return needed;
}

/** The line that follows an event which brings a layout. */
export function layoutLine(
  { stream, revision }: Needed, layout: DecidedLayout, observed: Observation, plugins: readonly Digest[],
): BundleLine {
  const document: unknown = JSON.parse(writeLayoutDocument(decidedDocument(layout, observed)));
  const { layoutDigest, guestConfigSpaceDigest } = layout;
  return { line: 'layout', stream, revision, layoutDigest, guestConfigSpaceDigest, plugins, document };
}
