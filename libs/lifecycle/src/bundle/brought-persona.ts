import { type DeviceEvent, type PersonaReference } from '../device/device-events.js';

/**
 * The persona that came with a device, behind this event of its stream: of another ledger, whose bundle had it as it
 * was published there. `before` is what came before the event. Nothing that is attached here anew goes on wearing it.
 */
export function personaBrought(event: DeviceEvent, before: PersonaReference | null): PersonaReference | null {
  if (event.type === 'LayoutImported') return event.layout.persona;
  return event.type === 'DeviceAttached' ? null : before;
}

/** Whether both are the same version with the same layout: of different ledgers, names may be the same by chance. */
export function isSamePersona(one: PersonaReference, other: PersonaReference | null): boolean {
  return one.name === other?.name && one.version === other.version && one.digest === other.digest;
}
