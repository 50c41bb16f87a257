import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const hooks = new URL('./source-hooks.mjs', import.meta.url).href;
const program = fileURLToPath(new URL('./child-writer.ts', import.meta.url));

/** Starts child writers that do not outlive the test that started them. */
export function children(): (...given: ConstructorParameters<typeof ChildWriter>) => ChildWriter {
  let started: ChildWriter[] = [];
  afterEach(async () => {
    for (const child of started) await child.kill();
    started = [];
  });
  return (...given) => {
    const child = new ChildWriter(...given);
    started.push(child);
    return child;
  };
}

/** A running `child-writer.ts`, and what it has said. */
export class ChildWriter {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #errors = '';

  /** @param tracer a command with arguments to run it under, for example strace */
  constructor(directory: string, name: string, writers: number, tracer: readonly string[] = []) {
    const node = [process.execPath, '--conditions=@cadastre/source', '--no-warnings', '--import', hooks, program];
    const [command = '', ...args] = [...tracer, ...node, directory, name, String(writers)];
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    // Closed, not only exited: by then all it said has been read.
    this.#ended = once(this.#process, 'close');
    const output = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    output.on('line', (line) => this.lines.push(line));
    this.#process.stderr?.on('data', (data) => { this.#errors += String(data); });
  }

  /** Waits until it has said at least so many lines. */
  async said(count: number): Promise<void> {
    while (this.lines.length < count) {
      if (!this.#isRunning) throw new Error(`The child ended: ${this.lines.join()} ${this.#errors}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  get #isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Takes it away in the middle of what it is doing. */
  async kill(): Promise<void> {
    // The whole process group, since a killed strace would let go of the child instead of taking it along.
    if (this.#isRunning && this.#process.pid) process.kill(-this.#process.pid, 'SIGKILL');
    await this.#ended;
  }

  /** Waits for its own end; answers with the exit code. */
  async ended(): Promise<number | null> {
    await this.#ended;
    return this.#process.exitCode;
  }
}
