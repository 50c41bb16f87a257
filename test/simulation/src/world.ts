import { Bdf, type ConfigSpace, type Result } from '@cadastre/config-space';
import { buildConfigSpace, type ExtendedEntry, express } from '@cadastre/config-space/testing';
import { DeviceId, type DeviceKey, type FunctionKey, HostName, Observation, VmId } from '@cadastre/lifecycle';

export function sure<Value>(result: Result<Value, unknown>): Value {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.refusal));
}

/** One function of the world: a slot holds another card now and then. */
export interface Slot {
  readonly name: string;
  readonly host: string;
  readonly role: 'none' | 'pf' | 'vf';
  /** Of a VF: the slot of its PF. */
  readonly pf: string | null;
  readonly key: FunctionKey;
}

const pfAddress = '0000:81:00.0';
const addresses = {
  '0000:3b:00.0': 'none', '0000:3c:00.0': 'none', [pfAddress]: 'pf', '0000:81:00.1': 'vf', '0000:81:00.2': 'vf',
} as const;

/** Two hosts with two plain functions each, and a PF with two VFs. */
export const slots: readonly Slot[] = ['host-a', 'host-b'].flatMap((host) =>
  Object.entries(addresses).map(([address, role]) => ({
    name: `${host}/${address}`, host, role, pf: role === 'vf' ? `${host}/${pfAddress}` : null,
    key: { host: sure(HostName.from(host)), address: sure(Bdf.from(address)) },
  })));

/** Two devices of one VM, and one of two others. */
export const devices: readonly { readonly name: string; readonly key: DeviceKey }[] = [
  ['vm-1', 'nic0'], ['vm-1', 'nic1'], ['vm-2', 'nic0'], ['vm-3', 'nic0'],
].map(([vm = '', device = '']) => ({
  name: `${vm}/${device}`, key: { vm: sure(VmId.from(vm)), device: sure(DeviceId.from(device)) },
}));

/** What one look at a slot shows. */
export interface Look {
  readonly space: ConfigSpace;
  /** A guest's driver binds by it: equal for cards that differ in firmware only. */
  readonly card: string;
  /** Where a byte is that nothing listed accounts for; null where there is none. */
  readonly oddByteAt: number | null;
  readonly hasExtendedSpace: boolean;
}

/** Where the planner puts PASID first where there is AER and nothing else: the look `taken` has a byte there. */
const firstGapAt = 0x134;

function look(card: string, extended: readonly ExtendedEntry[], oddByteAt: number | null): Look {
  const ids = card === 'vf' ? { vendorId: 0xffff, deviceId: 0xffff, subsystemVendorId: 0x1af4, subsystemId: 0x1100 }
    : { deviceId: card === 'pf' ? 0x1042 : 0x1041 };
  return {
    card, oddByteAt, hasExtendedSpace: true,
    space: buildConfigSpace({
      ...ids, extended, standard: [{ id: 0x01, offset: 0x40, body: [3, 0, 0, 0, 0, 0] }, express({ offset: 0x60 })],
      bytes: oddByteAt === null ? {} : { [oddByteAt]: [0x5a] },
    }),
  };
}

/** The capabilities a VF shares: what its own lists must not have. */
const shared = [
  { id: 0x1b, offset: 0x240, body: [0x04, 0x10] }, { id: 0x13, offset: 0x260 }, { id: 0x0f, offset: 0x280 },
];
/** Single Root I/O Virtualization; its VF Device ID, at 0x1a, is what the kernel shows for a VF. */
const sriov = [...new Array<number>(0x16).fill(0), 0x00, 0x11];
const aer = { id: 0x01, offset: 0x100 };
const variants = (card: string, extended: readonly ExtendedEntry[]): readonly Look[] =>
  [null, 0x800, firstGapAt].map((oddByteAt) => look(card, extended, oddByteAt));

/** A card as it is, with other firmware, with firmware that uses what was free; and of a plain slot another card. */
export const looks: Readonly<Record<Slot['role'], readonly Look[]>> = {
  none: [...variants('plain', [aer]), {
    card: 'small', oddByteAt: null, hasExtendedSpace: false,
    // Its BAR is one of I/O: no document makes that of the memory another card has.
    space: buildConfigSpace({
      size: 256, deviceId: 0x1000, standard: [{ id: 0x01, offset: 0x40 }], bytes: { 0x10: [0x01] },
    }),
  }],
  pf: variants('pf', [aer, { id: 0x10, offset: 0x180, body: sriov }, ...shared]),
  vf: variants('vf', [aer]),
};
export const looksMax = 4;

/** Not every slot has as many looks: the rest are the first one. */
export function lookAt(slot: Slot, index: number): Look {
  const found = looks[slot.role][index] ?? looks[slot.role][0];
  if (!found) throw new Error(`nothing to see in ${slot.name}`);
  return found;
}

/** What a host tells beside the bytes: it is updated now and then, and shows what it showed. */
export const hostFacts: readonly Pick<Observation, 'kernel' | 'firmware'>[] = [
  { kernel: { release: '7.2.13', flavour: 'upstream' }, firmware: null },
  { kernel: { release: '7.2.14', flavour: 'upstream' }, firmware: null },
  { kernel: { release: '7.2.14', flavour: 'upstream' }, firmware: '2.0' },
];

export function observationOf(slot: Slot, index: number, facts: number): Observation {
  const pf = slot.pf === null ? null : sure(Bdf.from(pfAddress));
  const told = hostFacts[facts];
  if (!told) throw new Error(`no host tells facts ${facts}`);
  return Observation.of(lookAt(slot, index).space, {
    ...told, sriov: { role: slot.role, pf },
    iommu: { maxPasidLog2: widthMax, exec: false, priv: true, atsSupported: true },
  });
}

/** PASID bits of every IOMMU. */
export const widthMax = 16;
