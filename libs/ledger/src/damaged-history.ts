/** A history whose events are whole but contradict each other, or leave something out: never served as good. */
export class DamagedHistory extends Error {
  constructor(readonly stream: string, problem: string) {
    super(`${stream}: ${problem}`);
    this.name = 'DamagedHistory';
  }
}
