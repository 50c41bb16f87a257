import { type Request, type VmmName } from './request.js';
import { devices, lookAt, type Look, type Slot, slots } from './world.js';

/** `migration` is not null while the function is kept for a device that is still elsewhere. */
export interface ModelClaim {
  readonly device: string;
  readonly migration: string | null;
}

/** A function as a clerk with a pencil would note it. */
export interface ModelFunction {
  registered: boolean;
  retired: boolean;
  look: number;
  /** What the host told last beside the bytes. */
  facts: number;
  /** How often something new was seen, be it of the guest. */
  looks: number;
  /** Whether the guest had less than it was promised, when something new was seen last. */
  endangered: boolean;
  claim: ModelClaim | null;
  readonly users: { readonly pasid: string[]; readonly pri: string[] };
}

export interface ModelDevice {
  state: 'unknown' | 'attached' | 'detached';
  slot: string;
  vmm: VmmName;
  /** What its layout was decided over: in its slot may be something else by now. */
  look: Look;
  facts: number;
  /** Capabilities the guest is shown, and where. */
  places: ReadonlyMap<string, number>;
  /** Where something was once and a guest may look for it. */
  reserved: ReadonlyMap<string, number>;
  /** All places there were before this attachment, of which card. */
  before: { readonly card: string; readonly places: ReadonlyMap<string, number> };
  layoutDigest: string;
  /** How often a layout was decided. */
  decisions: number;
  guest: 'unseen' | 'confirmed' | 'diverged';
  /** Whether it was last seen to read what nobody decided. */
  isOdd: boolean;
  /** The number of the look that found another layout; null when the last one did not, and while nobody looked. */
  divergence: number | null;
  /** Whether a guest may have cached the places: it was read, enabled PASID, or came with them from elsewhere. */
  found: boolean;
  pasid: { readonly width: number; readonly pf: string | null } | null;
  /** PASID to page table. */
  tables: Map<number, number>;
  ats: boolean;
  pri: { readonly pf: string | null } | null;
}

export interface ModelMove {
  readonly device: string;
  readonly source: string;
  /** Of the layout it is to have. */
  readonly layoutDigest: string;
  readonly target: string;
  readonly vmm: VmmName;
  /** Those of the device: the plan is about what was decided last, and what the guest was last seen to read. */
  readonly decisions: number;
  readonly divergence: number | null;
  readonly looks: number;
  /** Of the target's PF. */
  readonly pfLooks: number;
}

export interface ModelMigration {
  readonly vm: string;
  readonly id: string;
  state: 'planned' | 'prepared' | 'completed' | 'aborted';
  readonly moves: readonly ModelMove[];
}

export function must<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`the world has no ${what}`);
  return value;
}

export const slotNamed = (name: string): Slot => must(slots.find((one) => one.name === name), name);

/** What the ledger should hold, in plain maps: nothing of it is folded from anything. */
export class Model {
  readonly functions = new Map<string, ModelFunction>(slots.map(({ name }) => [name, {
    registered: false, retired: false, look: 0, facts: 0, looks: 0, endangered: false, claim: null,
    users: { pasid: [], pri: [] } }]));
  readonly devices = new Map<string, ModelDevice>(devices.map(({ name }) => [name, neverAttached()]));
  readonly migrations: ModelMigration[] = [];
  guestLooks = 0;
  /** Bytes that any card of a kind was ever seen to use. */
  readonly usedBytes = new Map<string, Set<number>>();
  /** Which migration holds a VM. */
  readonly held = new Map<string, string>();

  function(name: string): ModelFunction {
    return must(this.functions.get(name), name);
  }

  device(name: string): ModelDevice {
    return must(this.devices.get(name), name);
  }

  attachedOf(vm: string): readonly (readonly [name: string, device: ModelDevice])[] {
    return [...this.devices].filter(([name, one]) => name.startsWith(`${vm}/`) && one.state === 'attached');
  }

  lookIn(slot: string): Look {
    return lookAt(slotNamed(slot), this.function(slot).look);
  }

  /** Where a device could go: slots of the same role at the host. */
  goalsOf({ slot }: ModelDevice, host: string): readonly Slot[] {
    return slots.filter((one) => one.host === host && one.role === slotNamed(slot).role);
  }

  /** Where a plan goes to, by the name of the device. */
  targetsOf({ vm, host, to, without }: Extract<Request, { kind: 'plan' }>): ReadonlyMap<string, string> {
    const targets = this.attachedOf(vm).map(([name, device], index) => {
      const goals = this.goalsOf(device, host);
      return [name, must(goals[(to[index] ?? 0) % goals.length], 'slot').name] as const;
    });
    return new Map(without ? targets.slice(1) : targets);
  }

  /** The function that counts the users of a slot's family; null without one, undefined where nobody can count. */
  countingFor(name: string): string | null | undefined {
    const slot = slotNamed(name);
    if (slot.role === 'none') return null;
    if (slot.pf === null) return name;
    const { registered, retired } = this.function(slot.pf);
    return registered && !retired ? slot.pf : undefined;
  }

  /** How often the PF of a VF was seen. */
  pfLooks(slot: string): number {
    const { pf } = slotNamed(slot);
    return pf === null ? 0 : this.function(pf).looks;
  }

  use(capability: 'pasid' | 'pri', pf: string | null, device: string): void {
    const users = pf === null ? [] : this.function(pf).users[capability];
    if (!users.includes(device)) users.push(device);
  }

  free(capability: 'pasid' | 'pri', device: string): void {
    for (const { users } of this.functions.values()) {
      const at = users[capability].indexOf(device);
      if (at >= 0) users[capability].splice(at, 1);
    }
  }

  /** What a device leaves behind in the function it leaves. */
  leave(name: string): void {
    const device = this.device(name);
    Object.assign(this.function(device.slot), { claim: null, endangered: false });
    this.free('pasid', name);
    this.free('pri', name);
    Object.assign(device, { pasid: null, tables: new Map(), ats: false, pri: null });
  }
}

function neverAttached(): ModelDevice {
  return {
    state: 'unknown', slot: '', vmm: 'none', look: lookAt(must(slots[0], 'slot'), 0), facts: 0, places: new Map(),
    reserved: new Map(), before: { card: '', places: new Map() }, layoutDigest: '', decisions: 0, guest: 'unseen',
    isOdd: false, divergence: null, found: false, pasid: null, tables: new Map(), ats: false, pri: null,
  };
}
