import { canonicalJson, Digest } from '@cadastre/device-layout';
import { type VmId } from '../name.js';

/** A replay bundle: a text file of canonical JSON objects, one a line, each chained to all before it. */
export const bundleFormat = 'cadastre.bundle/1';

/**
 * 100,000 PASIDs attached and detached: such lines have 710 and 725 bytes with idempotency keys of 64 characters, and
 * 126 more where VM and device have the longest names. A bundle is read whole before anything is recorded, which takes
 * some six times as much memory. What is larger is not exported.
 */
export const bundleBytesMax = 192 * 1024 * 1024;

/** Whose state it is, and how far. */
interface OfStream {
  readonly stream: string;
  readonly revision: number;
}

/** What can be checked of a layout without trusting whoever wrote it down. */
export interface LayoutDigests {
  readonly layoutDigest: Digest;
  readonly guestConfigSpaceDigest: Digest;
}

export type BundleLine =
  /** The first line. `position` is the last of the log that counts. */
  | { readonly line: 'bundle'; readonly format: string; readonly vm: VmId; readonly position: number }
  /** A recorded event; `data` is its stored bytes as text, `sha256` their hash as the store has it. */
  | ({ readonly line: 'event'; readonly position: number; readonly id: string; readonly type: string;
      readonly sha256: string; readonly data: string } & OfStream)
  /** Right behind each event that brings a layout: the layout as a document, for whoever reads no events. */
  | ({ readonly line: 'layout'; readonly document: unknown;
      /** Digests of the plugins that were heard; planner/1 hears none. */
      readonly plugins: readonly Digest[] } & LayoutDigests & OfStream)
  /** Behind the last event of a device: what they came to. */
  | ({ readonly line: 'device'; readonly state: 'attached' | 'detached' } & OfStream)
  /** The last line: a bundle without it was cut. */
  | { readonly line: 'end'; readonly events: number; readonly layouts: number; readonly devices: number };

/** Links each line to those before it: the first line that was changed, lost or added is the first that fails. */
export class BundleChain {
  private link = Digest.of(bundleFormat);

  /** The digest of all lines so far; behind the last line it names the bundle. */
  get digest(): Digest {
    return this.link;
  }

  /** Takes a line in and tells the one way to write it, without a line break. */
  write(line: BundleLine): string {
    const text = canonicalJson(line);
    this.link = Digest.of(`${this.link}\n${text}`);
    // In canonical JSON `chain` comes before all other members that a line has.
    return `{"chain":"${this.link}",${text.slice(1)}`;
  }
}
