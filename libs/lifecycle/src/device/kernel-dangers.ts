import { capabilityRow, type LinkedCapability } from '@cadastre/config-space';
import { predictedAgain, type VerdictReason } from '@cadastre/device-layout';
import { type GuestPrediction, hostKernelOf } from '@cadastre/vmm-profiles';
import { Observation } from '../function/observation.js';
import { type DecidedLayout } from './device-events.js';

/**
 * What another kernel of the host takes from a guest or shows it beside, the hardware being as it was: vfio-pci shows
 * of one kernel what it hides of another. Empty where nobody told the VMM: then nothing was predicted.
 * @param stoodOn the observation the layout was decided over
 */
export function kernelDangers(
  layout: DecidedLayout, stoodOn: Observation, seen: Pick<Observation, 'kernel'>,
): readonly VerdictReason[] {
  const { vmm } = layout;
  const { kernel: { release, flavour }, iommu, sriov: { role } } = stoodOn;
  if (!vmm || (release === seen.kernel.release && flavour === seen.kernel.flavour)) return [];
  const over = { space: Observation.configSpace(stoodOn), layout, iommu, role, family: null };
  const then = predictedAgain(vmm, over);
  const now = predictedAgain({ ...vmm, kernel: hostKernelOf(seen.kernel).kernel }, over);
  if (!then?.space || !now) return [];
  if (now.outcome.kind !== 'starts') {
    const { rule, says } = now.outcome;
    return [{ kind: 'does-not-start', vmm: vmm.profile.name, says, rule }];
  }
  const [had, has] = [linked(then), linked(now)];
  const [lost, added] = [without(had, has), without(has, had)];
  return [
    ...lost.map((one): VerdictReason => {
      const to = added.find((other) => isAlike(one, other));
      return to ? { kind: 'offset-would-move', ...named(one), layout: one.offset, destination: to.offset }
        : { kind: 'vmm-hides-it', ...named(one), offset: one.offset };
    }),
    ...added.filter((one) => !lost.some((other) => isAlike(one, other)))
      .map((one): VerdictReason => ({ kind: 'capability-extra', ...named(one), offset: one.offset })),
  ];
}

/** Both lists as a guest walks them; a header without an ID is nobody's. */
function linked({ chain: { standard, extended } }: GuestPrediction): readonly LinkedCapability[] {
  return [...standard, ...extended.filter(({ id }) => id !== 0)];
}

/** Those of one list that another does not have where they are. */
function without(
  some: readonly LinkedCapability[], others: readonly LinkedCapability[],
): readonly LinkedCapability[] {
  return some.filter((one) => !others.some((other) => isAlike(one, other) && one.offset === other.offset));
}

function isAlike(one: LinkedCapability, other: LinkedCapability): boolean {
  return one.space === other.space && one.id === other.id;
}

function named({ space, id }: LinkedCapability): Pick<LinkedCapability, 'space' | 'id'> & { readonly name: string } {
  return { space, id, name: capabilityRow(space, id).name };
}
