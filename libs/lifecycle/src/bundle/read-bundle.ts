import { ok, refuse, type Result } from '@cadastre/config-space';
import {
  canonicalJson, Digest, documentDigest, explainPlacement, isSyntheticName, layoutDigest, readLayoutDocument,
  writeLayoutDocument,
} from '@cadastre/device-layout';
import { fold } from '../decider.js';
import { type AttachedDevice, deviceDecider, type DeviceState } from '../device/device-decider.js';
import { type DecidedLayout, type DeviceEvent, type PersonaReference } from '../device/device-events.js';
import { predictedGuestSpace, rebuildGuestConfigSpace } from '../device/guest-config-space.js';
import { decodeEvent, encodeEvent, isDeviceEvent, isPersonaEvent, type LedgerEvent } from '../event-codec.js';
import { type Observation } from '../function/observation.js';
import { observedAgain } from '../function/observed-again.js';
import { decidedDocument } from '../migration/guest-document.js';
import { PersonaName, type VmId } from '../name.js';
import { type DeviceKey, deviceStream, type FunctionKey } from '../stream-key.js';
import { isSamePersona, personaBrought } from './brought-persona.js';
import { BundleChain, bundleFormat, type BundleLine, type LayoutDigests } from './bundle-line.js';

/** One device of a bundle whose every layout was rebuilt and found to be what was recorded. */
export interface BundledDevice {
  readonly key: DeviceKey;
  readonly revision: number;
  readonly state: 'attached' | 'detached';
  /** The function it is, or was last, attached to: of the host it came from. */
  readonly function: FunctionKey;
  readonly hotPlugOrder: number | null;
  /** The newest layout, and the observation it was decided over. */
  readonly layout: DecidedLayout;
  readonly observed: Observation;
  readonly guest: AttachedDevice['guest'];
  /** Whether a guest is known to have found the layout. */
  readonly isFound: boolean;
  readonly plugins: readonly Digest[];
}

/** A bundle that is whole. */
export interface Bundle {
  readonly vm: VmId;
  /** The last position of the log it came from that counts. */
  readonly position: number;
  /** Names the bundle. */
  readonly digest: Digest;
  readonly events: number;
  readonly layouts: number;
  readonly devices: readonly BundledDevice[];
}

export type BundleRefusal =
  | { readonly kind: 'bundle-of-another-format'; readonly format: string; readonly known: string }
  /** The first line that is not what it should be, and the event it holds or follows; null where it is no line. */
  | { readonly kind: 'bundle-damaged'; readonly line: number | null; readonly event: string | null;
      readonly problem: string };

/**
 * Checks a bundle from its first line to its last: every line against the chain and the one way to write it, every
 * event against its hash, every stream for gaps, every layout against its digests, rebuilt from the observation in the
 * bundle. Refuses at the first line that is not what it should be. Who wrote the bundle is not checked: compare its
 * digest with what they told.
 */
export function readBundle(lines: Iterable<string>): Result<Bundle, BundleRefusal> {
  const reader = new BundleReader();
  for (const text of lines) {
    const refusal = reader.take(text);
    if (refusal) return refuse(refusal);
  }
  return reader.end();
}

/** What is wrong with a line. */
class Damage extends Error {}

/** A device whose stream is being read. */
interface Reading {
  readonly key: DeviceKey;
  readonly stream: string;
  readonly revision: number;
  readonly state: DeviceState;
  readonly layout: DecidedLayout | null;
  readonly observed: Observation | null;
  readonly plugins: readonly Digest[];
  readonly isFound: boolean;
  /** The persona an import brought it with. */
  readonly brought: PersonaReference | null;
}

type LineOf<Name extends BundleLine['line']> = Extract<BundleLine, { line: Name }>;

class BundleReader {
  private readonly chain = new BundleChain();
  private readonly observations = new Map<string, Observation>();
  /** Events that hold bytes: those other observations were told over are among them. */
  private readonly captures = new Map<string, LedgerEvent>();
  private readonly personas = new Set<string>();
  private readonly devices: BundledDevice[] = [];
  private number = 0;
  private at: string | null = null;
  private header: LineOf<'bundle'> | undefined;
  private reading: Reading | undefined;
  /** The layout whose line has to follow. */
  private awaited: DecidedLayout | undefined;
  private events = 0;
  private layouts = 0;
  private isEnded = false;

  take(text: string): BundleRefusal | undefined {
    this.number += 1;
    try {
      const line = this.parse(text);
      if (line.line === 'bundle' && line.format !== bundleFormat) {
        return { kind: 'bundle-of-another-format', format: String(line.format).slice(0, 80), known: bundleFormat };
      }
      this.accept(line);
      return undefined;
    } catch (error) {
      // Whoever writes a chain can write anything into it: whatever cannot be folded or rebuilt is a damaged line.
      const problem = error instanceof Error ? error.message : String(error);
      return { kind: 'bundle-damaged', line: this.number, event: this.at, problem };
    }
  }

  end(): Result<Bundle, BundleRefusal> {
    const { header, devices, events, layouts } = this;
    if (header && this.isEnded) {
      const { vm, position } = header;
      return ok({ vm, position, digest: this.chain.digest, events, layouts, devices });
    }
    return refuse({ kind: 'bundle-damaged', line: this.number, event: this.at,
      problem: this.number === 0 ? 'it is empty' : 'it is cut: its last line is missing' });
  }

  private parse(text: string): BundleLine {
    if (this.isEnded) throw new Damage('something follows the last line');
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) throw new Damage('it is no JSON object');
    const { chain, ...content } = parsed as { readonly chain?: unknown };
    const line = content as BundleLine;
    // Another format may chain its lines in another way: it is told by its name.
    if (line.line === 'bundle' && line.format !== bundleFormat) return line;
    if (line.line === 'event') this.at = `${line.stream}@${line.revision}`;
    const written = this.chain.write(line);
    if (this.chain.digest !== chain) throw new Damage('it does not follow on the line before it, as it did');
    if (written !== text) throw new Damage('it is not written as it was: not in canonical form');
    return line;
  }

  private accept(line: BundleLine): void {
    if ((line.line === 'bundle') === (this.header !== undefined)) {
      throw new Damage(this.header ? 'a second beginning' : 'the beginning is missing');
    }
    if (this.awaited && line.line !== 'layout') throw new Damage('the layout of the event before it is missing');
    switch (line.line) {
      case 'bundle': this.header = line; return;
      case 'event': return this.takeEvent(line);
      case 'layout': return this.takeLayout(line);
      case 'device': return this.takeDevice(line);
      case 'end': return this.takeEnd(line);
      default: throw new Damage(`it is of an unknown kind: ${String((line as { line?: unknown }).line)}`);
    }
  }

  private takeEvent({ stream, revision, position, type, sha256, data }: LineOf<'event'>): void {
    if (Digest.of(data) !== `sha256:${sha256}`) throw new Damage(`its bytes are not those that have hash ${sha256}`);
    const decoded = decodeEvent(data);
    if (decoded.event.type !== type) throw new Damage(`it is a ${decoded.event.type}, not a ${type}`);
    if (encodeEvent(decoded) !== data) throw new Damage('it is not in canonical form');
    if (position > (this.header?.position ?? -1)) throw new Damage(`position ${position} is behind the end of the log`);
    this.events += 1;
    const { event } = decoded;
    if (isDeviceEvent(event)) this.foldEvent(stream, revision, event);
    else this.remember(stream, revision, event);
  }

  /** What layouts stand on stands before them. */
  private remember(stream: string, revision: number, event: LedgerEvent): void {
    const place = `${stream}@${revision}`;
    if (event.type === 'FunctionObserved') {
      this.captures.set(place, event);
      this.observations.set(place, event);
    } else if (event.type === 'HostFactsObserved') {
      const captured = `${stream}@${event.configSpaceRevision}`;
      const observed = observedAgain(event, this.captures.get(captured));
      if (!observed) throw new Damage(`the bytes it was told over are missing: ${captured}`);
      this.observations.set(place, observed);
    } else if (isPersonaEvent(event)) {
      const layout = readLayoutDocument(event.layout);
      const digest = layout.ok ? documentDigest(layout.value) : 'no layout';
      if (digest !== event.digest) throw new Damage(`the persona is ${digest}, recorded is ${event.digest}`);
      this.personas.add(`${event.name}@${event.version} ${digest}`);
    } else throw new Damage(`${event.type} has no place in a bundle`);
  }

  private foldEvent(stream: string, revision: number, event: DeviceEvent): void {
    const reading = this.reading ?? this.begin(stream, event);
    if (reading.stream !== stream) throw new Damage(`${reading.stream} has not ended`);
    if (revision !== reading.revision + 1) throw new Damage(`revision ${reading.revision + 1} is missing`);
    const state = fold(deviceDecider, [event], reading.state);
    const brought = personaBrought(event, reading.brought);
    this.reading = { ...reading, revision, state, brought, isFound: reading.isFound || isFound(state) };
    if (event.type !== 'LayoutDecided' && event.type !== 'LayoutImported') return;
    const imported = event.type === 'LayoutImported' ? event : null;
    const layout = imported?.layout ?? (state.kind === 'attached' ? state.layout : null);
    if (!layout) throw new Damage('it decides a layout of a device that is not attached');
    if (!imported) this.assertPersona(layout, brought);
    const observed = imported?.observed ?? this.observationOf(layout);
    this.reading = { ...this.reading, layout, observed };
    this.awaited = layout;
  }

  private begin(stream: string, event: DeviceEvent): Reading {
    if (event.type !== 'DeviceAttached' && event.type !== 'LayoutImported') {
      throw new Damage(`a device begins with ${event.type}`);
    }
    const key: DeviceKey = { vm: event.vm, device: event.device };
    const own = deviceStream(key);
    if (key.vm !== this.header?.vm || own !== stream) throw new Damage(`it is about ${own}`);
    if (this.devices.some((one) => deviceStream(one.key) === own)) throw new Damage('the device was told before');
    return {
      key, stream, revision: -1, state: deviceDecider.initial, layout: null, observed: null, plugins: [],
      isFound: false, brought: null,
    };
  }

  private observationOf({ observation }: DecidedLayout): Observation {
    const place = `${observation.stream}@${observation.revision}`;
    const observed = this.observations.get(place);
    if (!observed) throw new Damage(`the observation it stands on is missing: ${place}`);
    return observed;
  }

  /** It was published where the bundle was written, or the device came there with it. */
  private assertPersona({ persona }: DecidedLayout, brought: PersonaReference | null): void {
    if (!persona || isSamePersona(persona, brought)) return;
    if (this.personas.has(`${persona.name}@${persona.version} ${persona.digest}`)) return;
    throw new Damage(`the persona it wears is missing: ${persona.name}@${persona.version}`);
  }

  private takeLayout(line: LineOf<'layout'>): void {
    const { awaited: layout, reading } = this;
    if (!layout || !reading?.observed) throw new Damage('no event before it brings a layout');
    const rebuilt = rebuildLayout(layout, reading.observed);
    for (const name of ['layoutDigest', 'guestConfigSpaceDigest'] as const) {
      if (line[name] !== rebuilt[name]) throw new Damage(`${name} is ${rebuilt[name]}, not ${line[name]}`);
    }
    const document = writeLayoutDocument(decidedDocument(layout, reading.observed));
    if (canonicalJson(line.document) !== canonicalJson(JSON.parse(document))) {
      throw new Damage('its document is not the layout that the events give');
    }
    this.reading = { ...reading, plugins: [...line.plugins] };
    this.awaited = undefined;
    this.layouts += 1;
  }

  private takeDevice({ stream, revision, state }: LineOf<'device'>): void {
    const { reading } = this;
    if (reading?.stream !== stream || reading.revision !== revision || reading.state.kind !== state) {
      const told = reading ? `${reading.stream}@${reading.revision} is ${reading.state.kind}` : 'no device was told';
      throw new Damage(`its events are not as many as they were: ${told}`);
    }
    this.devices.push(bundled(reading));
    this.reading = undefined;
  }

  private takeEnd({ events, layouts, devices }: LineOf<'end'>): void {
    if (this.reading) throw new Damage(`${this.reading.stream} has not ended`);
    if (events !== this.events || layouts !== this.layouts || devices !== this.devices.length) {
      throw new Damage(`${events} events, ${layouts} layouts and ${devices} devices were written, here are `
        + `${this.events}, ${this.layouts} and ${this.devices.length}`);
    }
    this.isEnded = true;
  }
}

const listNames = [
  'placements', 'reserved', 'patches', 'operations', 'relocations', 'standardList', 'extendedList', 'requested', 'told',
  'grants',
] as const;

/** Uses what no digest covers as it will be used: what is no layout fails here, and not when somebody looks at it. */
function assertUsable(layout: DecidedLayout): void {
  assertWithinSpace(layout);
  const odd = listNames.find((name) => !Array.isArray(layout[name]));
  if (odd) throw new Damage(`${odd} is no list`);
  if (layout.persona !== null) assertPublishable(layout.persona);
  for (const placement of [...layout.placements, ...layout.reserved]) {
    const { name, offset, length, space } = placement;
    if (!isSyntheticName(name)) throw new Damage(`${String(name)} is no capability that can be placed`);
    const isPlace = [offset, length].every((one) => Number.isInteger(one) && one > 0 && one <= 0x1000);
    if (!isPlace || (space !== 'standard' && space !== 'extended')) throw new Damage(`${name} has no place`);
    explainPlacement(placement);
  }
}

/** No digest covers which persona it was; whoever exports the device again looks for it by its name and version. */
function assertPublishable({ name, version, digest }: PersonaReference): void {
  const isNamed = typeof name === 'string' && PersonaName.from(name).ok && typeof digest === 'string';
  if (!isNamed || !Number.isInteger(version) || version < 1) {
    throw new Damage(`${String(name)}@${String(version)} is no version of a persona`);
  }
}

/** Members that are bytes of a config space, wherever they stand: whoever walks so many must come to an end. */
const byteNames: ReadonlySet<string> = new Set(['offset', 'length', 'gapOffset', 'gapLength', 'sizeBytes', 'at']);

function assertWithinSpace(value: object): void {
  for (const [name, one] of Object.entries(value) as [string, unknown][]) {
    if (typeof one === 'number' && byteNames.has(name) && (one < 0 || one > 0x1000)) {
      throw new Damage(`${name} ${one} is in no config space`);
    }
    if (typeof one === 'object' && one !== null) assertWithinSpace(one);
  }
}

/** Throws when the record does not give the digests it holds. */
function rebuildLayout(layout: DecidedLayout, observed: Observation): LayoutDigests {
  assertUsable(layout);
  const told = layoutDigest(layout);
  if (told !== layout.layoutDigest) throw new Damage(`the layout is ${told}, recorded is ${layout.layoutDigest}`);
  const guest = rebuildGuestConfigSpace(layout, observed);
  predictedGuestSpace(layout, observed);
  return { layoutDigest: told, guestConfigSpaceDigest: Digest.ofSpace(guest) };
}

function isFound(state: DeviceState): boolean {
  return state.kind === 'attached' && state.found !== null;
}

function bundled({ key, revision, state, layout, observed, plugins, isFound: found }: Reading): BundledDevice {
  if (state.kind === 'unknown' || !layout || !observed) throw new Damage('the device never had a layout');
  const attached = state.kind === 'attached' ? state : null;
  return {
    key, revision, state: state.kind, function: state.kind === 'attached' ? state.function : state.last,
    hotPlugOrder: attached?.hotPlugOrder ?? null, layout, observed, guest: attached?.guest ?? null, isFound: found,
    plugins,
  };
}
