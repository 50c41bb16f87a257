import { type Captured, type CapturedGuest, type CapturedProbe } from './captures.js';
import { guestDifferences, mediated, observedEnds, predictGuest, probeDifferences,
  viewDifferences } from './compare-captures.js';

/** Where a capture shows something no rule of a VMM explains, and why. */
const exceptions: readonly { readonly result: RegExp; readonly reason: string }[] = [
  {
    result: /Failed to set up TRIGGER eventfd signaling for interrupt INTX-0/,
    reason: 'nothing moves behind the made-up bus: the host could not give the interrupt the pin promises',
  },
];

type Tally = Record<'exact' | 'open' | 'ends' | 'excepted' | 'differs', number>;

class Tallies {
  private readonly rows = new Map<string, Tally>();

  count(row: string, what: keyof Tally): void {
    const counts = this.rows.get(row) ?? { exact: 0, open: 0, ends: 0, excepted: 0, differs: 0 };
    counts[what] += 1;
    this.rows.set(row, counts);
  }

  /** Prints the rows in order; says how many there are. */
  print(first: string): number {
    const lines = [...this.rows].sort(([one], [other]) => (one < other ? -1 : 1)).map(([row, tally]) =>
      [row, tally.exact, tally.open, tally.ends, tally.excepted, tally.differs].join('\t'));
    const head = [first, 'exact', 'open bytes', 'end foreseen', 'excepted', 'differs'].join('\t');
    process.stdout.write(`${[head, ...lines].join('\n')}\n`);
    return lines.length;
  }
}

/** How many of each there must be, so that an empty folder proves nothing. */
export interface Least {
  readonly views: number;
  readonly guests: number;
  readonly probedBytes: number;
}

/** Compares everything that was captured with what is predicted of it, and prints a table. */
export function describeCaptures(where: string, captures: readonly Captured[], least: Least): void {
  const run = least.views > 0 ? it : it.skip;
  const each = <Case extends readonly unknown[]>(cases: readonly Case[]) =>
    (cases.length > 0 ? it.each(cases as Case[]) : it.skip.each([['nothing']] as unknown as Case[]));

  describe(`the vfio view of the physical space, ${where}`, () => {
    const tallies = new Tallies();
    const shown = captures.flatMap((one) => (one.vfio === undefined ? [] : [[`${one.name} on ${one.kernel}`, one,
      one.vfio] as const]));
    each(shown)('%s', (_, captured, vfio) => {
      const found = viewDifferences(captured, vfio);
      tallies.count(`Linux ${captured.kernel}`, found.length === 0 ? 'exact' : 'differs');
      expect(found).toEqual([]);
    });

    run('was compared: the table', () => {
      expect(tallies.print('kernel, vfio views')).toBe(2);
      expect(shown.length).toBeGreaterThanOrEqual(least.views);
    });
  });

  describe(`the guest predicted from the physical space, ${where}`, () => {
    const tallies = new Tallies();
    const guests = captures.flatMap((one) => one.guests.map((guest): [string, Captured, CapturedGuest] =>
      [`${one.name} on ${one.kernel}, ${guest.profile} ${guest.variant}`, one, guest]));
    each(guests)('%s', (_, captured, guest) => {
      if (captured.vfio === undefined) throw new Error(`${captured.name} was not given away`);
      const count = (what: keyof Tally): void => tallies.count(`${guest.profile} on ${captured.kernel}`, what);
      if (exceptions.some(({ result }) => result.test(guest.result))) {
        count('excepted');
        return;
      }
      const prediction = predictGuest(captured, captured.vfio, guest);
      if (guest.space === undefined) {
        count('ends');
        expect(observedEnds(guest.result)).toContain(prediction.outcome.kind);
        return;
      }
      const found = guestDifferences(prediction, captured.vfio, guest.space);
      count(found.length > 0 ? 'differs' : prediction.unpredicted.length > 0 ? 'open' : 'exact');
      expect(found).toEqual([]);
    });

    run('was compared, of three QEMUs on two kernels: the table', () => {
      expect(tallies.print('profile on kernel')).toBeGreaterThanOrEqual(4);
      process.stdout.write(`open bytes: x-msix-relocation, and nobody told how large the BAR is\n${
        exceptions.map(({ result, reason }) => `excepted: ${result.source}: ${reason}`).join('\n')}\n`);
      expect(guests.length).toBeGreaterThanOrEqual(least.guests);
    });
  });

  describe(`a write to every byte, through vfio-pci or by a guest, ${where}`, () => {
    const letters = new Map<string, number>();
    const probes = captures.flatMap((one) => one.probes.map((probe): [string, Captured, CapturedProbe] =>
      [`${one.name} on ${one.kernel}, ${probe.by}`, one, probe]));
    each(probes)('%s', (_, captured, probe) => {
      const kind = probe.by === 'vfio' ? 'vfio' : 'guest';
      expect(probeDifferences(captured, probe, (predicted, observed) => {
        const row = [kind, predicted, observed].join('\t');
        letters.set(row, (letters.get(row) ?? 0) + 1);
      })).toEqual([]);
    });

    run('was compared byte by byte, both ways: the table', () => {
      const rows = [...letters].sort(([one], [other]) => (one < other ? -1 : 1)).map((row) => row.join('\t'));
      const reasons = Object.entries(mediated).map(([seen, why]) => `mediated, ${seen}: ${why}`);
      process.stdout.write(`${['probe\tpredicted\tobserved\tbytes', ...rows, ...reasons].join('\n')}\n`);
      const kinds = new Set([...letters.keys()].map((row) => row.split('\t')[1]));
      expect([...kinds].sort()).toEqual(
        ['--', '-G', '-g', 'D', 'H', 'H-', 'HG', 'M', 'MG', 'Mg', 'V', 'mediated']);
      expect([...letters.values()].reduce((all, times) => all + times, 0)).toBeGreaterThanOrEqual(least.probedBytes);
    });
  });
}
