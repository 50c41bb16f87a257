import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigSpace } from '@cadastre/config-space';
import { type Knobs } from '@cadastre/vmm-profiles';
import { hasObserved, observedFolder, readCaptures } from './corpus.js';

/** One function behind one kernel, and everything that was seen of it: in a folder beside the repository, or in it. */
export interface Captured {
  readonly name: string;
  readonly kernel: string;
  readonly physical: ConfigSpace;
  /** Undefined where vfio-pci did not give it away, and `refusal` says why. */
  readonly vfio: ConfigSpace | undefined;
  readonly refusal: string | undefined;
  readonly guests: readonly CapturedGuest[];
  readonly probes: readonly CapturedProbe[];
}

export interface CapturedGuest {
  readonly profile: string;
  readonly variant: string;
  /** `ok`, or what was said by the component that refused. */
  readonly result: string;
  /** Undefined where QEMU did not start. */
  readonly space: ConfigSpace | undefined;
}

/** Every byte from 0x40 on, to which its complement was written through vfio or by a guest of QEMU 11.1. */
export interface CapturedProbe {
  /** `vfio`, or the variant of the guest. */
  readonly by: string;
  readonly bytes: readonly ProbedByte[];
}

export interface ProbedByte {
  readonly offset: number;
  /** `H` the hardware has what was written, `M` something else, `V` the view alone; two letters for a guest. */
  readonly effect: string;
  /** What the hardware and the writer's view read before. */
  readonly hardware: number;
  readonly view: number;
}

const profileOf: Readonly<Record<string, string>> = { '7.2': 'qemu-7.2', '10.0': 'qemu-10.0', '11.1': 'qemu-11.1' };
const probeNames = {
  vfio: 'vfio-write-probe.tsv', rp: 'guest-write-probe-rp.tsv', rc: 'guest-write-probe-rc.tsv',
} as const;

/** Everything of `observed.tsv`; nothing where the folder is not there. */
export function observedCaptures(): readonly Captured[] {
  if (!hasObserved) return [];
  const [, ...lines] = readFileSync(join(observedFolder, 'observed.tsv'), 'utf8').trimEnd().split('\n');
  const rows = Map.groupBy(lines.map((line) => line.split('\t')), ([folder = '']) => folder);
  return [...rows].flatMap(([folder, columns]): readonly Captured[] => {
    const [, name, kernel] = /^(.*)\.k(\d+\.\d+)$/.exec(folder) ?? [];
    const physical = observedSpace(folder, 'physical.lspci');
    if (name === undefined || kernel === undefined || physical === undefined) return [];
    const vfio = observedSpace(folder, 'vfio.lspci');
    const refusal = columns.find(([, , , , view, , , , , result]) => view === 'vfio' && result !== 'ok')?.[9];
    return [{ name, kernel, physical, vfio, refusal, guests: columns.flatMap((row) => guestOf(folder, row)),
      probes: Object.entries(probeNames).flatMap(([by, file]) => probeOf(folder, by, file)) }];
  });
}

/** Variants with the same bytes name the same file. */
function guestOf(folder: string, columns: readonly string[]): readonly CapturedGuest[] {
  const [, , qemu = '', , view = '', file = '', sameAs = '', , , result = ''] = columns;
  const variant = /^guest (\w+):/.exec(view)?.[1];
  const profile = profileOf[/^\d+\.\d+/.exec(qemu)?.[0] ?? ''];
  if (variant === undefined || profile === undefined) return [];
  const space = result.startsWith('ok') ? observedSpace(folder, file || sameAs) : undefined;
  return [{ profile, variant, result, space }];
}

function probeOf(folder: string, by: string, file: string): readonly CapturedProbe[] {
  const path = join(observedFolder, folder, file);
  if (!existsSync(path)) return [];
  const before = (column: string): number => parseInt(/^\w+ (\w+)->/.exec(column)?.[1] ?? '', 16);
  const bytes = readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => {
    const [offset = '', effect = '', hardware = '', view = ''] = line.split('\t');
    return { offset: parseInt(offset, 16), effect, hardware: before(hardware), view: before(view) };
  });
  return [{ by, bytes }];
}

function observedSpace(folder: string, file: string): ConfigSpace | undefined {
  const path = join(observedFolder, folder, file);
  return existsSync(path) ? readCaptures(path)[0]?.space : undefined;
}

/** Folders of the shared captures that hold something. */
export function observedFolderNames(): readonly string[] {
  return hasObserved ? readdirSync(observedFolder).filter((name) => /\.k\d+\.\d+$/.test(name)) : [];
}

/** Runs of bytes, hexadecimal, by hexadecimal offset. */
type Runs = Readonly<Record<string, string>>;
interface Patch {
  readonly size: number;
  readonly bytes: Runs;
}

/** The captures that belong to the project, each as its difference from the one before it. */
interface Fixture {
  readonly functions: Readonly<Record<string, Patch>>;
  readonly captures: readonly {
    readonly function: string; readonly kernel: string;
    /** Differences from the function's bytes: the host gives BARs and interrupts. */
    readonly physical: Runs;
    /** Differences from the physical bytes, or why there are none. */
    readonly vfio: Patch | string;
    /** By `profile variant`, all with the same result: differences from the vfio view, or why none started. */
    readonly guests: readonly { readonly of: readonly string[]; readonly guest: Patch | string }[];
    /** Letters from 0x40 on, runs of one as `H*40`; and what differed from the captures before a byte was probed. */
    readonly probes: Readonly<Record<string, { readonly letters: string; readonly before: readonly (readonly [
      offset: number, hardware: number, view: number])[] }>>;
  }[];
}

const fixture = new URL('../fixtures/captures.json', import.meta.url);

export function fixtureCaptures(): readonly Captured[] {
  const { functions, captures } = JSON.parse(readFileSync(fixture, 'utf8')) as Fixture;
  return captures.map((one): Captured => {
    const given = functions[one.function];
    if (given === undefined) throw new Error(`nothing is known of ${one.function}`);
    const physical = patched(patched(undefined, given), { size: given.size, bytes: one.physical });
    const vfio = typeof one.vfio === 'string' ? undefined : patched(physical, one.vfio);
    const guests = one.guests.flatMap(({ of, guest }) => of.map((named): CapturedGuest => {
      const [profile = '', variant = ''] = named.split(' ');
      const space = typeof guest === 'string' ? undefined : patched(vfio, guest);
      return { profile, variant, space, result: typeof guest === 'string' ? guest : 'ok' };
    }));
    const probes = Object.entries(one.probes).map(([by, { letters, before }]): CapturedProbe => {
      const view = by === 'vfio' ? vfio
        : guests.find(({ profile, variant }) => profile === 'qemu-11.1' && variant === by)?.space;
      const others = new Map(before.map(([offset, ...values]) => [offset, values] as const));
      const bytes = letters.split(' ').flatMap((run) => {
        const [effect = '', times = '1'] = run.split('*');
        return new Array<string>(Number(times)).fill(effect);
      }).map((effect, index): ProbedByte => {
        const offset = 0x40 + index;
        const [hardware = physical.u8(offset), seen = view?.u8(offset) ?? 0] = others.get(offset) ?? [];
        return { offset, effect, hardware, view: seen };
      });
      return { by, bytes };
    });
    return { name: one.function, kernel: one.kernel, physical, vfio, guests, probes,
      refusal: typeof one.vfio === 'string' ? one.vfio : undefined };
  });
}

/** A device model of QEMU as its own machine reads it, with the lists that the reader found. */
export interface DeviceModel {
  readonly name: string;
  readonly space: ConfigSpace;
  /** `01@c8 05@d0`, in list order. */
  readonly standard: string;
  readonly extended: string;
}

export function deviceModels(): readonly DeviceModel[] {
  const file = new URL('../fixtures/models.json', import.meta.url);
  const models = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Patch & Omit<DeviceModel, 'name' | 'space'>>;
  return Object.entries(models).map(([name, { standard, extended, ...patch }]) =>
    ({ name, space: patched(undefined, patch), standard, extended }));
}

function patched(below: ConfigSpace | undefined, { size, bytes: runs }: Patch): ConfigSpace {
  const bytes = new Uint8Array(size);
  if (below !== undefined) bytes.set(below.toBytes().subarray(0, size));
  for (const [offset, digits] of Object.entries(runs)) bytes.set(Buffer.from(digits, 'hex'), parseInt(offset, 16));
  const space = ConfigSpace.from(bytes);
  if (!space.ok) throw new Error(`a capture of ${size} bytes`);
  return space.value;
}

const settingsOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  rpids: { 'x-pci-vendor-id': '0x1234', 'x-pci-device-id': '0x5678', 'x-pci-sub-vendor-id': '0x9abc',
    'x-pci-sub-device-id': '0xdef0' },
  rpclique: { 'x-nv-gpudirect-clique': '5' },
  rpatson: { ats: 'on' },
  rpatsoff: { ats: 'off' },
  rpvpasid: { 'x-vpasid-cap-offset': '0xf00' },
  rpmsix: { 'x-msix-relocation': 'bar0' },
};
const ports = { rc: 'root-bus', conv: 'pci-bridge', pc: 'conventional-root' } as const;

/** How the second level was started (the variants of the captures' README). */
export function knobsOf(variant: string): Knobs {
  const port = variant === 'rc' || variant === 'conv' || variant === 'pc' ? ports[variant] : 'root-port';
  return { port, settings: settingsOf[variant] ?? {} };
}
