import { type Branded } from '@cadastre/config-space';

/** Vendor and device ID as `lspci -n` writes them: `8086:10d3`. */
export type Model = Branded<string, 'Model'>;

export const Model = {
  of(vendorId: number, deviceId: number): Model {
    return `${hex4(vendorId)}:${hex4(deviceId)}` as Model;
  },

  /** Whether `given` is a model: for the edge, where a wrong one is the client's mistake. */
  is: (given: string): given is Model => /^[0-9a-f]{4}:[0-9a-f]{4}$/.test(given),
};

/** What a VF reads in its own IDs: the host derives the real ones from its PF (Single Root I/O, "VF Device ID"). */
export const untoldModel = Model.of(0xffff, 0xffff);

function hex4(value: number): string {
  return value.toString(16).padStart(4, '0');
}
