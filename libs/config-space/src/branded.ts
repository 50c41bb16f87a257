declare const brand: unique symbol;

/** A value that went through its companion's `from`, and cannot be mistaken for another of the same shape. */
export type Branded<Value, Name extends string> = Value & { readonly [brand]: Name };
