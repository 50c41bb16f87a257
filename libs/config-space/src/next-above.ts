/** The first of the ascending numbers that is above `offset`: a binary search, since a lying list can be long. */
export function nextAbove(ascending: readonly number[], offset: number): number | undefined {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) > offset) high = middle;
    else low = middle + 1;
  }
  return ascending[low];
}
