import { type RecordedEvent } from '@cadastre/event-store';
import { decodeEvent } from '@cadastre/lifecycle';

/** An event as the API shows it: place, identity and hash, the command that wrote it, and its facts. */
export function eventView({ position, stream, revision, id, sha256, data }: RecordedEvent): object {
  const { event: { type, schema, ...facts }, envelope } = decodeEvent(data);
  return { position, stream, revision, id, type, schema, sha256, ...envelope, data: facts };
}
