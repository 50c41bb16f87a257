import { type Bdf, findCapability, pasidWidthBitsMax, survey, type Survey } from '@cadastre/config-space';
import { knownQuirks, type PasidRequest, type QuirkRow, quirksOf } from '@cadastre/device-layout';
import { Observation } from '../../function/observation.js';
import { type DecidedLayout } from '../device-events.js';

/** A port between the function and the root complex. */
export interface PathPort {
  readonly address: Bdf;
  /** Device Capabilities 2, "End-End TLP Prefix Supported". */
  readonly endEndTlpPrefix: boolean;
}

/** What decides about PASID beside the function: the vIOMMU the guest gets, and the way to the root complex. */
export interface PasidPlatform {
  /** Bits of a substream or PASID of the vIOMMU; 0 when it has none. */
  readonly viommuSsidBits: number;
  readonly ports: readonly PathPort[];
}

/** A path crosses each of the 256 buses of its segment at most once. */
export const pathPortsMax = 256;

/** The PASID capability as the guest reads it. */
export interface VisiblePasid {
  readonly offset: number;
  readonly widthBits: number;
  readonly exec: boolean;
  readonly priv: boolean;
}

/** One condition of PASID, whether it holds, and every number it rests on. */
export type PasidCheck = { readonly ok: boolean } & (
  | { readonly check: 'capability-visible'; readonly offset: number | null }
  | { readonly check: 'width-granted'; readonly widthBits: number; readonly granted: number }
  | { readonly check: 'execute-granted' | 'privileged-granted'; readonly asked: boolean; readonly granted: boolean }
  | { readonly check: 'width-fits-viommu'; readonly widthBits: number; readonly viommuSsidBits: number }
  | { readonly check: 'tlp-prefix-on-path';
      readonly because: 'root-complex-integrated' | 'every-port' | 'no-port-told' }
  | { readonly check: 'tlp-prefix-on-path'; readonly because: 'quirk-needs-none'; readonly quirk: string }
  | { readonly check: 'tlp-prefix-on-path'; readonly because: 'port-without'; readonly port: Bdf }
  | { readonly check: 'not-quirked'; readonly quirk: string | null }
);

/** What is asked of PASID with what was left out filled in. */
export interface AskedPasid {
  readonly widthBits: number;
  readonly exec: boolean;
  readonly priv: boolean;
}

/**
 * The PASID capability a layout shows; null when it shows none. One the hardware lists and nobody placed is none:
 * vfio-pci hides it (fact K11).
 */
export function visiblePasid({ placements }: DecidedLayout): VisiblePasid | null {
  const placed = placements.find(({ name }) => name === 'pasid');
  if (!placed) return null;
  const { offset, registers: { maxPasidWidth = 0, executeSupported = 0, privilegedSupported = 0 } } = placed;
  return { offset, widthBits: maxPasidWidth, exec: executeSupported === 1, priv: privilegedSupported === 1 };
}

/** What is left out of a request is what the guest was granted. */
export function askedPasid({ widthBits, exec, priv }: PasidRequest, visible: VisiblePasid | null): AskedPasid {
  return {
    widthBits: widthBits ?? visible?.widthBits ?? pasidWidthBitsMax, exec: exec ?? visible?.exec ?? false,
    priv: priv ?? visible?.priv ?? false,
  };
}

/** Every condition a guest's use of PASID depends on, in the order they are asked; PASID is usable when all hold. */
export function pasidChecks(
  { widthBits, exec, priv }: AskedPasid, visible: VisiblePasid | null, seen: Observation,
  { viommuSsidBits, ports }: PasidPlatform, rows: readonly QuirkRow[] = knownQuirks,
): readonly PasidCheck[] {
  const surveyed = survey(Observation.configSpace(seen), seen.sriov.role);
  const quirks = quirksOf(surveyed.header, rows);
  const [granted, grantedExec, grantedPriv] = [visible?.widthBits ?? 0, visible?.exec ?? false, visible?.priv ?? false];
  const ignored = quirks.find(({ ignoredByGuests }) => ignoredByGuests?.includes('pasid'))?.name ?? null;
  return [
    { check: 'capability-visible', ok: visible !== null, offset: visible?.offset ?? null },
    { check: 'width-granted', ok: widthBits <= granted, widthBits, granted },
    { check: 'execute-granted', ok: !exec || grantedExec, asked: exec, granted: grantedExec },
    { check: 'privileged-granted', ok: !priv || grantedPriv, asked: priv, granted: grantedPriv },
    { check: 'width-fits-viommu', ok: widthBits <= viommuSsidBits, widthBits, viommuSsidBits },
    prefixCheck(surveyed, quirks, ports),
    { check: 'not-quirked', ok: ignored === null, quirk: ignored },
  ];
}

/** A PASID travels in a TLP prefix, which every port has to pass on; inside the root complex none is needed. */
function prefixCheck(surveyed: Survey, quirks: readonly QuirkRow[], ports: readonly PathPort[]): PasidCheck {
  const check = 'tlp-prefix-on-path';
  if (isRootComplexIntegrated(surveyed)) return { check, ok: true, because: 'root-complex-integrated' };
  const quirk = quirks.find(({ pasidWithoutTlpPrefix }) => pasidWithoutTlpPrefix)?.name;
  if (quirk !== undefined) return { check, ok: true, because: 'quirk-needs-none', quirk };
  if (ports.length === 0) return { check, ok: false, because: 'no-port-told' };
  const without = ports.find(({ endEndTlpPrefix }) => !endEndTlpPrefix);
  if (without) return { check, ok: false, because: 'port-without', port: without.address };
  return { check, ok: true, because: 'every-port' };
}

/** PCI Express Capabilities register, "Device/Port Type": 9 is a root complex integrated endpoint. */
function isRootComplexIntegrated(surveyed: Survey): boolean {
  const express = findCapability(surveyed, 'standard', 0x10);
  return express !== undefined && (surveyed.space.u16(express.offset + 2) >> 4 & 0xf) === 9;
}

/** A check in words. */
export function explainPasidCheck(one: PasidCheck): string {
  switch (one.check) {
    case 'capability-visible': return one.offset === null ? 'the layout shows no PASID capability'
      : `the guest finds it at 0x${one.offset.toString(16)}`;
    case 'width-granted': return `${one.widthBits} bits of the ${one.granted} the guest was granted`;
    case 'execute-granted': return permission('execute', one);
    case 'privileged-granted': return permission('privileged', one);
    case 'width-fits-viommu': return `${one.widthBits} bits, and the vIOMMU has ${one.viommuSsidBits}`;
    case 'tlp-prefix-on-path': return explainPath(one);
    case 'not-quirked': return one.quirk === null ? 'no quirk is known'
      : `guests do not use PASID of this function (${one.quirk})`;
  }
}

function explainPath(one: Extract<PasidCheck, { check: 'tlp-prefix-on-path' }>): string {
  switch (one.because) {
    case 'root-complex-integrated': return 'the function is inside the root complex';
    case 'quirk-needs-none': return `the function needs no TLP prefix (${one.quirk})`;
    case 'every-port': return 'every port on the path passes TLP prefixes on';
    case 'no-port-told': return 'no port on the path was told';
    case 'port-without': return `port ${one.port} passes no TLP prefixes on`;
  }
}

function permission(name: string, { asked, granted }: { readonly asked: boolean; readonly granted: boolean }): string {
  return `${name} permission is ${asked ? 'asked for' : 'not asked for'}, and ${granted ? 'granted' : 'not granted'}`;
}
