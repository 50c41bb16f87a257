import { type Bdf, findCapability, pasidWidthBitsMax, survey, type Survey } from '@cadastre/config-space';
import { headerAsBound, knownQuirks, type PasidRequest, type QuirkRow, quirksOf } from '@cadastre/device-layout';
import { Observation } from '../../function/observation.js';
import { type PasidVisibility, type VisiblePasid } from './pasid-visibility.js';

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

/** One condition of PASID, whether it holds, and every number it rests on. */
export type PasidCheck = { readonly ok: boolean } & (
  | { readonly check: 'capability-visible'; readonly offset: number | null;
      readonly toldBy: PasidVisibility['toldBy']; readonly revision: number | null }
  | { readonly check: 'width-granted'; readonly widthBits: number; readonly granted: number }
  | { readonly check: 'execute-granted' | 'privileged-granted'; readonly asked: boolean; readonly granted: boolean }
  | { readonly check: 'width-fits-host-iommu'; readonly widthBits: number; readonly maxPasidLog2: number }
  | { readonly check: 'execute-fits-host-iommu' | 'privileged-fits-host-iommu'; readonly asked: boolean;
      readonly supported: boolean }
  | { readonly check: 'width-fits-viommu'; readonly widthBits: number; readonly viommuSsidBits: number }
  | { readonly check: 'tlp-prefix-on-path';
      readonly because: 'root-complex-integrated' | 'every-port' | 'no-port-told' }
  | { readonly check: 'tlp-prefix-on-path'; readonly because: 'quirk-needs-none'; readonly quirk: string }
  | { readonly check: 'tlp-prefix-on-path'; readonly because: 'port-without'; readonly port: Bdf }
  | { readonly check: 'not-quirked'; readonly quirk: string | null }
);

/** A function as it was seen last. */
export interface SeenFunction {
  readonly own: Observation;
  /** Of a VF its PF, which tells what the VF is; null when nobody looked at it. */
  readonly physicalFunction: Observation | null;
}

/** What is asked of PASID with what was left out filled in. */
export interface AskedPasid {
  readonly widthBits: number;
  readonly exec: boolean;
  readonly priv: boolean;
}

/** What is left out of a request is what the guest was granted. */
export function askedPasid({ widthBits, exec, priv }: PasidRequest, visible: VisiblePasid | null): AskedPasid {
  return {
    widthBits: widthBits ?? visible?.widthBits ?? pasidWidthBitsMax, exec: exec ?? visible?.exec ?? false,
    priv: priv ?? visible?.priv ?? false,
  };
}

/**
 * Every condition a guest's use of PASID depends on, in the order they are asked; PASID is usable when all hold.
 * @param seen what the host's IOMMU has may have changed since the grant
 */
export function pasidChecks(
  { widthBits, exec, priv }: AskedPasid, { pasid, toldBy, revision }: PasidVisibility, seen: SeenFunction,
  { viommuSsidBits, ports }: PasidPlatform, rows: readonly QuirkRow[] = knownQuirks,
): readonly PasidCheck[] {
  const { own, physicalFunction } = seen;
  const surveyed = survey(Observation.configSpace(own), own.sriov.role);
  const family = physicalFunction && survey(Observation.configSpace(physicalFunction), 'pf');
  const quirks = quirksOf(headerAsBound(surveyed.header, family), rows);
  const granted = pasid ?? { widthBits: 0, exec: false, priv: false };
  const { maxPasidLog2, ...iommu } = own.iommu;
  const ignored = quirks.find(({ ignoredByGuests }) => ignoredByGuests?.includes('pasid'))?.name ?? null;
  return [
    { check: 'capability-visible', ok: pasid !== null, offset: pasid?.offset ?? null, toldBy, revision },
    { check: 'width-granted', ok: widthBits <= granted.widthBits, widthBits, granted: granted.widthBits },
    { check: 'execute-granted', ok: !exec || granted.exec, asked: exec, granted: granted.exec },
    { check: 'privileged-granted', ok: !priv || granted.priv, asked: priv, granted: granted.priv },
    { check: 'width-fits-host-iommu', ok: widthBits <= maxPasidLog2, widthBits, maxPasidLog2 },
    { check: 'execute-fits-host-iommu', ok: !exec || iommu.exec, asked: exec, supported: iommu.exec },
    { check: 'privileged-fits-host-iommu', ok: !priv || iommu.priv, asked: priv, supported: iommu.priv },
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
    case 'capability-visible': return explainVisible(one);
    case 'width-granted': return `${one.widthBits} bits of the ${one.granted} the guest was granted`;
    case 'execute-granted': return permission('execute', one.asked, one.granted ? 'granted' : 'not granted');
    case 'privileged-granted': return permission('privileged', one.asked, one.granted ? 'granted' : 'not granted');
    case 'width-fits-host-iommu': return `${one.widthBits} bits, and the host IOMMU has ${one.maxPasidLog2}`;
    case 'execute-fits-host-iommu': return permission('execute', one.asked, byIommu(one.supported));
    case 'privileged-fits-host-iommu': return permission('privileged', one.asked, byIommu(one.supported));
    case 'width-fits-viommu': return `${one.widthBits} bits, and the vIOMMU has ${one.viommuSsidBits}`;
    case 'tlp-prefix-on-path': return explainPath(one);
    case 'not-quirked': return one.quirk === null ? 'no quirk is known'
      : `guests do not use PASID of this function (${one.quirk})`;
  }
}

function explainVisible(
  { offset, toldBy, revision }: Extract<PasidCheck, { check: 'capability-visible' }>,
): string {
  const place = offset === null ? 'no PASID capability' : `it at 0x${offset.toString(16)}`;
  switch (toldBy) {
    case 'guest': return `the guest was last seen, at revision ${revision ?? 'unknown'}, to find ${place}`;
    case 'prediction': return `the VMM is predicted to show ${place}, and nobody looked inside the guest`;
    case 'layout': return `the layout shows ${place}, and nobody looked inside the guest`;
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

function permission(name: string, asked: boolean, given: string): string {
  return `${name} permission is ${asked ? 'asked for' : 'not asked for'}, and ${given}`;
}

function byIommu(supported: boolean): string {
  return `${supported ? 'supported' : 'not supported'} by the host IOMMU`;
}
