import { ByteRange } from '@cadastre/config-space';
import { rules } from '@cadastre/vmm-profiles';
import { type UnshownBecause, type Verdict, type VerdictReason } from './verdict.js';

const hex = (value: number): string => `0x${value.toString(16)}`;
const shown = (value: number | null): string => (value === null ? 'none' : hex(value));

/** Why a layout cannot be shown, in one line, and by which rule of a VMM. */
export function explainVerdictReason(reason: VerdictReason): string {
  const { rule } = reason;
  return explained(reason) + (rule === undefined ? '' : ` (${rule}: ${rules[rule][1]})`);
}

function explained(reason: UnshownBecause): string {
  switch (reason.kind) {
    case 'function-unfit': return `the destination cannot be judged: ${reason.problem}`;
    case 'vmm-cannot-migrate': return `${reason.vmm} saves and loads no state of a device`;
    case 'does-not-start': return `no guest starts with it under ${reason.vmm}: ${reason.says}`;
    case 'config-size-smaller':
      return `the layout has ${reason.layout} bytes, the destination ${reason.destination}`;
    case 'identity-differs':
      return `${reason.field} is ${shown(reason.layout)}, at the destination ${shown(reason.destination)}`;
    case 'capability-missing': return `${reason.name} at ${hex(reason.offset)} has no physical one behind it`;
    case 'offset-would-move':
      return `${reason.name} would move from ${hex(reason.layout)} to ${hex(reason.destination)}: guests cache offsets`;
    case 'capability-extra': return `the destination also shows ${reason.name} at ${hex(reason.offset)}`;
    case 'capability-shape-differs':
      return `${reason.name} at ${hex(reason.offset)} has ${reason.member} ${reason.layout}, there `
        + `${reason.destination}`;
    case 'vmm-hides-it': return `the VMM hides ${reason.name} at ${hex(reason.offset)}`;
    case 'vmm-cannot-place-it': return `the VMM has no way to put ${reason.name} at ${hex(reason.offset)}`;
    case 'place-taken':
      return `${reason.name} at ${hex(reason.offset)} would lie over ${reason.by} at ${hex(reason.at)}`;
    case 'forbidden':
      return `${reason.name} at ${hex(reason.offset)} would lie in ${ByteRange.show(reason.range)}, which nobody may `
        + `use (${reason.by}): it needs another place, or another function`;
    case 'seen-in-use':
      return `${reason.name} at ${hex(reason.offset)} would lie over ${hex(reason.at)}, which is free there, but `
        + `${reason.by} shows ${reason.owner}: it needs another place, or another function`;
    case 'register-weaker':
      return `${reason.name} at ${hex(reason.offset)}: ${reason.field} is ${reason.layout}, there `
        + `${reason.destination}`;
    case 'register-differs':
      return `${reason.name} at ${hex(reason.offset)}: ${reason.field} is ${hex(reason.layout)}, there `
        + `${hex(reason.destination)}, and no VMM can change it`;
    case 'list-order-differs':
      return `the ${reason.space} list is walked ${reason.layout.map(hex).join(' ')}, there `
        + reason.destination.map(hex).join(' ');
    case 'bar-differs':
      return `${barNamed(reason)} is of kind ${hex(reason.layout)}, there of kind ${hex(reason.destination)}`;
    case 'bar-size-differs':
      return `${barNamed(reason)} has ${reason.layout} bytes, there ${reason.destination}`;
    case 'bytes-differ':
      return `${ByteRange.show(reason)} read ${reason.layout}, there ${reason.destination}`
        + (reason.why === 'vmm-compares-them' ? ', and the VMM compares them' : '');
  }
}

function barNamed({ of, bar }: Extract<UnshownBecause, { kind: 'bar-differs' | 'bar-size-differs' }>): string {
  return of === 'vf' ? `BAR ${bar} of the VFs` : `BAR ${bar}`;
}

/** A verdict for people, a sentence a line. */
export function explainVerdict(
  { verdict, reasons, knobs, differences, relocations, hidden, unchecked, untoldBars }: Verdict,
): readonly string[] {
  return [
    verdict,
    ...reasons.map((one) => `because ${explainVerdictReason(one)}`),
    ...knobs.map(({ knob, capability, value }) => (value === null ? `give the VMM the layout: ${knob}`
      : `set ${knob}=${hex(value)} for ${capability}`)),
    ...relocations.map((one) => `${one.name}: physical ${hex(one.physical)}, guest ${hex(one.guest)}`),
    ...hidden.map((one) => `${one.name} at ${hex(one.offset)} of the hardware is not shown`),
    ...differences.map((one) => `${ByteRange.show(one)} may differ (${one.why}): ${one.layout} | ${one.destination}`),
    ...unchecked.map((one) => `not checked: ${one}`),
    ...untoldBars.map((bar) => `not checked: the size of BAR ${bar}, which config space does not tell`),
  ];
}
