import { type LoggerService } from '@nestjs/common';

/** Nest's messages, one line each, on stderr: stdout belongs to data. */
export const stderrLogger: LoggerService = {
  log: () => undefined,
  warn: (message: unknown, ...rest: unknown[]) => write('warning', message, rest),
  error: (message: unknown, ...rest: unknown[]) => write('error', message, rest),
};

function write(level: string, message: unknown, rest: readonly unknown[]): void {
  const told = [message, ...rest].map((one) => (one instanceof Error ? one.stack : String(one))).join(' ');
  process.stderr.write(`${new Date().toISOString()} ${level} ${told}\n`);
}
