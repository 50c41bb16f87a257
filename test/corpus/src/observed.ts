import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConfigSpace } from '@cadastre/config-space';
import { type Knobs } from '@cadastre/vmm-profiles';
import { hasObserved, observedFolder, readCaptures } from './corpus.js';

/** One guest capture, or the message of the QEMU that did not start. */
export interface ObservedGuest {
  readonly folder: string;
  readonly kernel: string;
  readonly profile: string;
  readonly variant: string;
  /** Undefined where QEMU did not start. */
  readonly file: string | undefined;
  readonly result: string;
}

const profileOf: Readonly<Record<string, string>> = { '7.2': 'qemu-7.2', '10.0': 'qemu-10.0', '11.1': 'qemu-11.1' };

/** Every guest of observed.tsv; variants with the same bytes name the same file. */
export function observedGuests(): readonly ObservedGuest[] {
  if (!hasObserved) return [];
  const [, ...lines] = readFileSync(join(observedFolder, 'observed.tsv'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split('\t')).flatMap((columns) => {
    const [folder = '', , qemu = '', release = '', view = '', file = '', sameAs = '', , , result = ''] = columns;
    const variant = /^guest (\w+):/.exec(view)?.[1];
    const profile = profileOf[/^\d+\.\d+/.exec(qemu)?.[0] ?? ''];
    if (variant === undefined || profile === undefined) return [];
    const kernel = /^\d+\.\d+/.exec(release)?.[0] ?? '';
    const captured = result.startsWith('ok') ? file || sameAs : undefined;
    return [{ folder, kernel, profile, variant, file: captured, result }];
  });
}

/** Functions that vfio-pci did not give away: folder, kernel and what it said. */
export function observedRefusals(): readonly { readonly folder: string; readonly kernel: string; result: string }[] {
  if (!hasObserved) return [];
  const [, ...lines] = readFileSync(join(observedFolder, 'observed.tsv'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split('\t')).flatMap(([folder = '', , , release = '', view, , , , , result = '']) =>
    view === 'vfio' && result !== 'ok' ? [{ folder, kernel: /^\d+\.\d+/.exec(release)?.[0] ?? '', result }] : []);
}

export function observedSpace(folder: string, file: string): ConfigSpace | undefined {
  const path = join(observedFolder, folder, file);
  return existsSync(path) ? readCaptures(path)[0]?.space : undefined;
}

/** A byte before and after the complement was written to it: of the hardware, and as the writer reads it. */
export interface ProbedByte {
  readonly offset: number;
  /** `H` the hardware has what was written, `M` it has something else, then the same with `G` and `g` of the guest. */
  readonly effect: string;
  readonly hardware: readonly [before: number, after: number];
  readonly view: readonly [before: number, after: number];
}

/** Every folder with a probe of that name. */
export function observedProbes(name: string): readonly { readonly folder: string; bytes: readonly ProbedByte[] }[] {
  if (!hasObserved) return [];
  const values = (column: string): readonly [number, number] => {
    const [, before = '', after = ''] = /^\w+ (\w+)->(\w+)$/.exec(column) ?? [];
    return [parseInt(before, 16), parseInt(after, 16)];
  };
  return readdirSync(observedFolder).filter((folder) => existsSync(join(observedFolder, folder, name)))
    .map((folder) => ({
      folder,
      bytes: readFileSync(join(observedFolder, folder, name), 'utf8').trimEnd().split('\n').map((line) => {
        const [offset = '', effect = '', hardware = '', view = ''] = line.split('\t');
        return { offset: parseInt(offset, 16), effect, hardware: values(hardware), view: values(view) };
      }),
    }));
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
