declare const brand: unique symbol;

/** A `Base` that only the companion of `Name` hands out, so that two kinds of number cannot be mixed up. */
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };
