/** The JSON Pointer of a member of what `parent` points to. See RFC 6901, "Syntax". */
export function memberPointer(parent: string, name: string): string {
  return `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
