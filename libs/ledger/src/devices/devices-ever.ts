import { type Position } from '@cadastre/event-store';
import { deviceStream, type VmId } from '@cadastre/lifecycle';
import { type DeviceRow, type Views } from '@cadastre/views';
import { answered, type ListRefused } from '../lists/list-outcome.js';
import { type Refusal } from '../outcome.js';

const pageRows = 1_000;

/** The devices a VM ever had, in order of their names; as of a position, those it had had by then. */
export async function devicesEver(
  views: Views, vm: string, at: Position | null = null,
): Promise<{ readonly kind: 'found'; readonly devices: readonly DeviceRow[] } | ListRefused> {
  const devices: DeviceRow[] = [];
  const filter = at === null ? { vm } : { vm, at };
  for (let after = ''; ;) {
    const page = await answered(views.devices(filter, after, pageRows), ({ key }) => deviceStream(key));
    if (page.kind === 'refused') return page;
    devices.push(...page.rows);
    if (page.next === null) return { kind: 'found', devices };
    after = page.next;
  }
}

/** Why nothing can be told of a VM: it never had a device, or none yet at a position; undefined when it had. */
export async function unknownVm(
  views: Views, vm: VmId, at: Position | null = null,
): Promise<{ readonly kind: 'refused'; readonly refusal: Refusal } | undefined> {
  const listed = await answered(views.firstDevice(vm), ({ key }) => deviceStream(key));
  if (listed.kind === 'refused') return listed;
  const [first] = listed.rows;
  if (!first) return { kind: 'refused', refusal: { kind: 'vm-unknown', vm } };
  if (at === null || first.since <= at) return undefined;
  return { kind: 'refused', refusal: { kind: 'not-yet', stream: deviceStream(first.key), at, since: first.since } };
}
