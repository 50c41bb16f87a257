import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
const bin = join(root, 'apps', 'cli', 'bin', 'cadastre.mjs');

/** How long a ledger may take to begin: the slowest machine we know needs a second. */
const startTimeoutMs = 20_000;

/** A folder of its own for one test, gone afterwards. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'cadastre-e2e-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs one command of the CLI to its end, as a process of its own. */
export function cadastre(
  args: readonly string[], input?: string | Buffer,
): { status: number; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: root, encoding: 'utf8', input, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  return { status: status ?? -1, stdout, stderr };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Servers that were started and not yet stopped. */
const running = new Set<ChildProcess>();

/** Kills what a failed test left running, so that a failure is an answer and not a hang. */
export function killLeftovers(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** A real server in a real process over a real directory. */
export class LedgerProcess {
  private constructor(private readonly child: ChildProcess, readonly url: string) {}

  /**
   * Answers once it listens; rejects with what it said when it ends before.
   * @param under a command line that runs the server under a limit of its own
   */
  static start(
    directory: string, command: 'serve' | 'demo' = 'serve', under: readonly string[] = [],
  ): Promise<LedgerProcess> {
    const line = [...under, process.execPath, bin, command, '--data', directory, '--port', '0'];
    const child = spawn(line[0] ?? process.execPath, line.slice(1), {
      cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    return new Promise((resolve, reject) => {
      let said = '';
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`no server after ${startTimeoutMs} ms: ${said}`));
      }, startTimeoutMs);
      const hear = (chunk: Buffer): void => {
        said += chunk.toString('utf8');
        const url = /^(http:\/\/\S+)$/m.exec(said)?.[1];
        if (url === undefined) return;
        clearTimeout(timer);
        resolve(new LedgerProcess(child, url));
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
      });
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`it ended with ${code}: ${said}`));
      });
    });
  }

  /** Tells how it ended: an exit code, or the signal that killed it. */
  ended(): Promise<number | string | null> {
    return new Promise((resolve) => {
      this.child.once('exit', (code, killedBy) => resolve(killedBy ?? code));
    });
  }

  /** Ends it and tells how it ended. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string | null> {
    const ended = this.ended();
    this.child.kill(signal);
    return ended;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.send(path, { headers });
  }

  post(path: string, key: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return this.send(path, {
      method: 'POST', body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    });
  }

  private async send(path: string, init: RequestInit): Promise<Reply> {
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) as unknown : text };
  }
}
