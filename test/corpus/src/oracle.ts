/** One capability as `lspci -vvv` shows it. */
export interface OracleCapability {
  readonly offset: number;
  /** Null for a standard capability, which has none. */
  readonly version: number | null;
  readonly title: string;
  /** What each label (`DevCap`, `UESta` ...) is followed by, its continuation lines joined. */
  readonly lines: ReadonlyMap<string, string>;
}

export interface OracleFunction {
  /** As printed: `00:1f.3` or `0001:02:00.0`. */
  readonly address: string;
  readonly capabilities: readonly OracleCapability[];
}

/** Reads the text of `lspci -vvv`: functions, their capabilities, and the labelled lines of each. */
export function readOracle(text: string): readonly OracleFunction[] {
  return text.split(/\n(?=[0-9a-f])/).filter((part) => part.trim() !== '').map((part) => ({
    address: part.slice(0, part.indexOf(' ')),
    capabilities: part.split(/\n(?=\tCapabilities: \[)/).slice(1).flatMap(readCapability),
  }));
}

function readCapability(text: string): readonly OracleCapability[] {
  const shape = /^\tCapabilities: \[([0-9a-f]+)(?: v(\d+))?\] (.*)/.exec(text);
  if (!shape) return [];
  const [, offset = '', version, title = ''] = shape;
  // Where a list ends in nonsense lspci says so in place of a title.
  if (/^<chain (?:looped|broken)>/.test(title)) return [];
  return [{
    offset: parseInt(offset, 16),
    version: version === undefined ? null : Number(version),
    title,
    lines: readLines(text.split('\n').slice(1)),
  }];
}

function readLines(lines: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let label = '';
  for (const line of lines) {
    // The next part of the function, such as `Kernel driver in use`, is indented once.
    if (!line.startsWith('\t\t')) break;
    const labelled = /^\t\t(\S[^:\t]*?):\s*(.*)$/.exec(line);
    if (labelled) {
      label = labelled[1] ?? '';
      // A label that comes again, as each port of a table does, is not told apart here.
      found.set(label, `${found.has(label) ? `${found.get(label)} | ` : ''}${labelled[2] ?? ''}`);
    } else {
      found.set(label, `${found.get(label) ?? ''} ${line.trim()}`);
    }
  }
  return found;
}
