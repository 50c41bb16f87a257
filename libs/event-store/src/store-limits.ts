/** The most events a read returns at once: the page size of the HTTP API, and about 6 MiB of ordinary events. */
export const pageSizeMax = 1_000;

/** The most events in one append: what was written at once can be read back as one page. */
export const eventsPerAppendMax = pageSizeMax;

/** The most streams in one append: an attach touches two, and registering a PF with all of 64 VFs touches 65. */
export const streamsPerAppendMax = 100;

/**
 * The most bytes in the data of one event: the default `MaxAppendSize` of EventStoreDB, so that what fits here fits
 * there. A whole config space in base64 is 5.4 KiB, so this is a fence and no target.
 */
export const eventBytesMax = 1024 * 1024;

/** The most bytes of data in one append: sixteen of the largest events, which a server with a small heap can hold. */
export const appendBytesMax = 16 * eventBytesMax;

/** A page ends before it would hold more bytes of data than this, but never before its first event. */
export const pageBytesMax = appendBytesMax;

/** The page size asked for, or `pageSizeMax`. Throws on anything that is not a whole number from 1 to `pageSizeMax`. */
export function pageLimit(asked: number | undefined): number {
  const limit = asked ?? pageSizeMax;
  if (Number.isInteger(limit) && limit >= 1 && limit <= pageSizeMax) return limit;
  throw new RangeError(`A page holds 1 to ${pageSizeMax} events, not ${limit}`);
}
