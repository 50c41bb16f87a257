/** Times are microseconds of wall clock; medians, because a neighbour on the machine is an outlier. */

/** Median microseconds of one call, over `rounds` rounds of as many calls as fill `roundMs`. */
export function medianMicros(call: () => unknown, rounds = 15, roundMs = 60): number {
  // Calls counted while the code is still being compiled make rounds too short to get past that: the first only warms.
  callsThatFill(roundMs, call);
  const calls = callsThatFill(roundMs, call);
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    for (let index = 0; index < calls; index += 1) call();
    times.push(((performance.now() - start) * 1000) / calls);
  }
  return median(times);
}

function callsThatFill(roundMs: number, call: () => unknown): number {
  const until = performance.now() + roundMs;
  let calls = 0;
  while (performance.now() < until) {
    call();
    calls += 1;
  }
  return calls;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
