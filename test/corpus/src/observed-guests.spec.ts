import { type ConfigSpace } from '@cadastre/config-space';
import { type GuestPrediction, guestView, type HostFacts, profileNamed } from '@cadastre/vmm-profiles';
import { hasObserved, observedFolder, unless } from './corpus.js';
import { knobsOf, type ObservedGuest, observedGuests, observedRefusals, observedSpace } from './observed.js';

/** Where a capture shows something no rule of a VMM explains, and why. */
interface GuestException {
  readonly result: RegExp;
  readonly reason: string;
}

const exceptions: readonly GuestException[] = [
  {
    result: /Failed to set up TRIGGER eventfd signaling for interrupt INTX-0/,
    reason: 'nothing moves behind the made-up bus: the host could not give the interrupt the pin promises',
  },
];

const guests = observedGuests();

/** The made-up bus gives no interrupt where the vfio view reads no pin; VFs get their IDs from the PF. */
function factsOf(physical: ConfigSpace, vfio: ConfigSpace, kernel: string): HostFacts {
  const isVf = physical.u16(0) === 0xffff;
  return {
    kernel: { release: kernel, flavour: 'upstream' }, pasid: null,
    about: {
      hasInterrupt: vfio.u8(0x3d) !== 0,
      ...(isVf ? { role: 'vf', ids: { vendorId: vfio.u16(0), deviceId: vfio.u16(2) } } : {}),
    },
  };
}

function predict(guest: ObservedGuest): { prediction: GuestPrediction; vfio: ConfigSpace } {
  const physical = observedSpace(guest.folder, 'physical.lspci');
  const vfio = observedSpace(guest.folder, 'vfio.lspci');
  const profile = profileNamed(guest.profile);
  if (physical === undefined || vfio === undefined || !profile.ok) throw new Error(`nothing in ${guest.folder}`);
  const host = factsOf(physical, vfio, guest.kernel);
  return { prediction: guestView(physical, profile.value, knobsOf(guest.variant), host), vfio };
}

/**
 * `40:03>07` for each byte that is predicted and wrong. Below 0x40, what no rule of the VMM names is the vfio view's,
 * and a BAR the host has no resource for reads 0 through vfio and something in sysfs: those are not compared.
 */
function differences(prediction: GuestPrediction, vfio: ConfigSpace, observed: ConfigSpace): readonly string[] {
  const { space, unpredicted, ruled } = prediction;
  if (space === null) return [`does not start: ${JSON.stringify(prediction.outcome)}`];
  if (space.size !== observed.size) return [`${space.size} bytes, not ${observed.size}`];
  const found: string[] = [];
  for (let at = 0; at < observed.size; at += 1) {
    const within = ({ offset, length }: { offset: number; length: number }): boolean =>
      at >= offset && at < offset + length;
    if (at >= 0x10 && at < 0x34 && vfio.u8(at) !== prediction.vfio.u8(at)) continue;
    const ours = at < 0x40 && !ruled.some(within) ? vfio.u8(at) : space.u8(at);
    if (ours !== observed.u8(at) && !unpredicted.some(within)) {
      found.push(`${at.toString(16)}:${ours.toString(16)}>${observed.u8(at).toString(16)}`);
    }
  }
  return found;
}

/** What a result of observed.tsv says became of the device. */
function observedEnd(result: string): string {
  if (result.startsWith('ok')) return 'starts';
  if (/Assertion/.test(result)) return 'aborts';
  return /no message/.test(result) ? 'hangs' : 'refused';
}

type Tally = { exact: number; differs: number; ends: number; excepted: number; open: number };
const tallies = new Map<string, Tally>();

function tally(guest: ObservedGuest, what: keyof Tally): void {
  const row = `${guest.profile} on ${guest.kernel}`;
  const counts = tallies.get(row) ?? { exact: 0, differs: 0, ends: 0, excepted: 0, open: 0 };
  counts[what] += 1;
  tallies.set(row, counts);
}

describe(`the guest predicted from the physical space${unless(hasObserved, observedFolder)}`, () => {
  if (hasObserved) {
    const rows = guests.map((one): [string, ObservedGuest] => [`${one.folder} ${one.profile} ${one.variant}`, one]);
    it.each(rows)('%s', (_, guest) => {
      const { prediction, vfio } = predict(guest);
      const excepted = exceptions.find(({ result }) => result.test(guest.result));
      if (excepted) {
        tally(guest, 'excepted');
        return;
      }
      if (guest.file === undefined) {
        tally(guest, 'ends');
        expect(prediction.outcome.kind).toBe(observedEnd(guest.result));
        return;
      }
      const observed = observedSpace(guest.folder, guest.file);
      if (observed === undefined) throw new Error(`no function in ${guest.folder}/${guest.file}`);
      const found = differences(prediction, vfio, observed);
      tally(guest, found.length > 0 ? 'differs' : prediction.unpredicted.length > 0 ? 'open' : 'exact');
      expect(found).toEqual([]);
    });

    it('was compared in hundreds of captures, of three QEMUs on two kernels', () => {
      const rows = [...tallies].sort(([one], [other]) => (one < other ? -1 : 1));
      process.stdout.write(`${['profile on kernel', 'exact', 'open bytes', 'end foreseen', 'excepted', 'differs']
        .join('\t')}\n${rows.map(([row, { exact, open, ends, excepted, differs }]) =>
        [row, exact, open, ends, excepted, differs].join('\t')).join('\n')}\n`);
      expect(guests.length).toBeGreaterThan(500);
      expect(rows.length).toBeGreaterThanOrEqual(4);
    });
  } else {
    it.skip('every guest', () => undefined);
  }
});

describe(`a function that vfio-pci did not give away${unless(hasObserved, observedFolder)}`, () => {
  const refusals = observedRefusals();
  /** PFs whose own driver held them, so that they had VFs. */
  const heldByDriver = /^qemu-(1b36-0010-01\.00\.0|8086-10c9-02\.00\.0)\.k/;

  (hasObserved ? it.each(refusals) : it.skip.each(refusals))('$folder: $result', ({ folder, kernel }) => {
    const physical = observedSpace(folder, 'physical.lspci');
    const profile = profileNamed('qemu-11.1');
    if (physical === undefined || !profile.ok) throw new Error(`nothing in ${folder}`);
    const { outcome, findings } = guestView(physical, profile.value, {}, {
      kernel: { release: kernel, flavour: 'upstream' }, pasid: null });
    const foreseen = outcome.kind === 'refused' || findings.some(({ kind }) => kind === 'may-not-open');
    expect(foreseen).toBe(!heldByDriver.test(folder));
  });

  (hasObserved ? it : it.skip)('was seen more than once', () => {
    expect(refusals.length).toBeGreaterThan(1);
  });
});
