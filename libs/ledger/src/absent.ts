import { type Position } from '@cadastre/event-store';
import { type Refusal } from './outcome.js';
import { type StreamReader } from './stream-reader.js';

/** Why a stream tells nothing: it was never begun, or not yet at the position that was asked for. */
export async function absent(
  reader: StreamReader, stream: string, at: Position | null, never: Refusal,
): Promise<{ readonly kind: 'refused'; readonly refusal: Refusal }> {
  const since = at === null ? undefined : await reader.begunAt(stream);
  if (at === null || since === undefined) return { kind: 'refused', refusal: never };
  return { kind: 'refused', refusal: { kind: 'not-yet', stream, at, since } };
}
