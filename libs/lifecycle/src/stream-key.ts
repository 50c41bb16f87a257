import { type Bdf } from '@cadastre/config-space';
import { type DeviceId, type HostName, type ImportId, type MigrationId, type PersonaName, type VmId } from './name.js';

/** A function of one host: what the physical truth is kept under. */
export interface FunctionKey {
  readonly host: HostName;
  readonly address: Bdf;
}

/** A device of one VM: what survives migration, while the function behind it changes. */
export interface DeviceKey {
  readonly vm: VmId;
  readonly device: DeviceId;
}

/** `function-<host>/<dddd:bb:dd.f>` */
export function functionStream({ host, address }: FunctionKey): string {
  return `function-${host}/${address}`;
}

/** `device-<vm>/<device>` */
export function deviceStream({ vm, device }: DeviceKey): string {
  return `device-${vm}/${device}`;
}

/** `vm-<vm>` */
export function vmStream(vm: VmId): string {
  return `vm-${vm}`;
}

/** `migration-<vm>/<id>` */
export function migrationStream({ vm, id }: { readonly vm: VmId; readonly id: MigrationId }): string {
  return `migration-${vm}/${id}`;
}

/** `import-<vm>/<id>` */
export function importStream({ vm, id }: { readonly vm: VmId; readonly id: ImportId }): string {
  return `import-${vm}/${id}`;
}

/** `persona-<name>` */
export function personaStream(name: PersonaName): string {
  return `persona-${name}`;
}
