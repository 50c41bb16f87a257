/** What the data of an event of one schema is in the next. Steps are added and never edited: history is frozen. */
export type Upcasts = Readonly<Record<number, (data: object) => object>>;

/** The data of an event in schema `to`; undefined when no steps lead there. */
export function upcast(data: object, from: number, to: number, steps: Upcasts): object | undefined {
  if (!Number.isInteger(from) || from < 1 || from > to) return undefined;
  let current = data;
  for (let schema = from; schema < to; schema += 1) {
    const step = steps[schema];
    if (!step) return undefined;
    current = step(current);
  }
  return current;
}
