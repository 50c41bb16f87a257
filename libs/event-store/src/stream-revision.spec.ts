import { StreamRevision } from './stream-revision.js';

describe('StreamRevision', () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER])('takes %d', (given) => {
    expect(StreamRevision.from(given)).toBe(given);
  });

  it.each([-1, 0.5, NaN, Infinity, Number.MAX_SAFE_INTEGER + 1])('refuses %d', (given) => {
    expect(StreamRevision.is(given)).toBe(false);
    expect(() => StreamRevision.from(given)).toThrow(RangeError);
  });

  it('counts from 0 in a new stream, and on from where a stream is', () => {
    expect(StreamRevision.after('no-stream')).toBe(0);
    expect(StreamRevision.after('no-stream', 3)).toBe(2);
    expect(StreamRevision.after(StreamRevision.from(4))).toBe(5);
    expect(StreamRevision.after(StreamRevision.from(4), 3)).toBe(7);
  });
});
