import { type Branded, type SriovRole } from '@cadastre/config-space';
import { type Observation } from '@cadastre/lifecycle';
import { Model } from './model.js';

/** The functions whose bytes are evidence for each other: one model in one role, as `8086:154c vf`. */
export type ObservedModel = Branded<string, 'ObservedModel'>;

/** What tells which model was observed. */
export type ModelTold = Pick<Observation, 'configSpace'> & { readonly sriov: Pick<Observation['sriov'], 'role'> };

/** A VF reads so where its vendor and device ID are. PCIe Base Specification, "VF Configuration Space". */
const noId = 0xffff;

export const ObservedModel = {
  /** Vendor and device; of a VF, which has neither, those of the subsystem. Another role has other registers. */
  of({ configSpace, sriov }: ModelTold): ObservedModel {
    // The first 48 bytes in base64: the IDs are all that is wanted of a space that may be looked at very often.
    const header = Buffer.from(configSpace.slice(0, 64), 'base64');
    const isVf = header.readUInt16LE(0) === noId;
    const model = isVf ? Model.of(header.readUInt16LE(0x2c), header.readUInt16LE(0x2e))
      : Model.of(header.readUInt16LE(0), header.readUInt16LE(2));
    return `${model} ${sriov.role}` as ObservedModel;
  },

  isInRole(model: ObservedModel, role: SriovRole): boolean {
    return model.endsWith(` ${role}`);
  },
};
