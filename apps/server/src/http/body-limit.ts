/** Limit of the API conventions: a 4 KiB config space as text is 13 KiB, so this is a fence and no target. */
export const bodyBytesMax = 1024 * 1024;
