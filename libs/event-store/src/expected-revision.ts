import { type StreamRevision } from './stream-revision.js';

/**
 * Where a writer believes a stream to be: at this newest revision, or not begun.
 * There is no `any`: a writer that does not care what is in a stream cannot have decided by it.
 */
export type ExpectedRevision = StreamRevision | 'no-stream';
