import { type CapabilitySpace } from '../catalogue/capability-row.js';
import { acsRegisters, ariRegisters } from './access-control.js';
import { device3Registers, doeRegisters, ptmRegisters } from './device-services.js';
import { aerRegisters, dpcRegisters } from './error-reporting.js';
import { expressRegisters } from './express.js';
import { type RegisterBlock } from './field.js';
import { dvsecRegisters, serialNumberRegisters, vendorRegisters, vsecRegisters } from './identity.js';
import { ideRegisters } from './link-encryption.js';
import { msiRegisters, msixRegisters } from './message-interrupts.js';
import { l1SubstatesRegisters, ltrRegisters, powerManagementRegisters } from './power-management.js';
import { resizableBarRegisters } from './resizable-bar.js';
import { sriovRegisters } from './single-root-io-virtualization.js';
import { dpaRegisters, tphRegisters } from './transaction-hints.js';
import { atsRegisters, pasidRegisters, priRegisters } from './translation.js';
import { virtualChannelRegisters } from './virtual-channel.js';

/** The registers Cadastre decodes, by space and capability ID. */
export const registerTables: Readonly<Record<CapabilitySpace, Readonly<Record<number, readonly RegisterBlock[]>>>> = {
  standard: {
    0x01: powerManagementRegisters,
    0x05: msiRegisters,
    0x09: vendorRegisters,
    0x10: expressRegisters,
    0x11: msixRegisters,
  },
  extended: {
    0x0001: aerRegisters,
    0x0002: virtualChannelRegisters,
    0x0003: serialNumberRegisters,
    0x0008: virtualChannelRegisters,
    0x0009: virtualChannelRegisters,
    0x000b: vsecRegisters,
    0x000d: acsRegisters,
    0x000e: ariRegisters,
    0x000f: atsRegisters,
    0x0010: sriovRegisters,
    0x0013: priRegisters,
    0x0015: resizableBarRegisters,
    0x0016: dpaRegisters,
    0x0017: tphRegisters,
    0x0018: ltrRegisters,
    0x001b: pasidRegisters,
    0x001d: dpcRegisters,
    0x001e: l1SubstatesRegisters,
    0x001f: ptmRegisters,
    0x0023: dvsecRegisters,
    0x0024: resizableBarRegisters,
    0x002e: doeRegisters,
    0x002f: device3Registers,
    0x0030: ideRegisters,
  },
};
