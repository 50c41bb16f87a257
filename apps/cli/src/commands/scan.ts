import { randomUUID } from 'node:crypto';
import { type Command } from 'commander';
import { survey, writeLspciText } from '@cadastre/config-space';
import { type IommuFacts } from '@cadastre/device-layout';
import { type ObservedKernel } from '@cadastre/lifecycle';
import { LedgerClient } from '../api/ledger-client.js';
import { CommandFailed, exitCode } from '../exit-code.js';
import { scanFunctions, type ScannedFunction } from '../host/scan-functions.js';
import { thisHost } from '../host/this-host.js';
import { hex, print, printJson, progress, say, table } from '../terminal.js';
import { ledgerUrlOf, pasidLog2Of } from './options.js';

interface ScanOptions {
  readonly server?: string;
  readonly host: string;
  readonly maxPasidLog2: number;
  readonly json?: boolean;
  readonly lspci?: boolean;
}

export function addScan(program: Command): void {
  program.command('scan')
    .description("read this machine's PCI functions; print them, or push them to a ledger")
    .option('--server <url>', 'ledger to push them to, for example http://127.0.0.1:8420', ledgerUrlOf)
    .option('--host <name>', 'name of this host in the ledger', thisHost())
    .option('--max-pasid-log2 <bits>', 'PASID width of the IOMMU (sysfs does not tell it)', pasidLog2Of, 0)
    .option('--lspci', 'print as lspci -xxxx text')
    .option('--json', 'print as JSON')
    .action(scan);
}

async function scan(options: ScanOptions): Promise<void> {
  const { kernel, functions, unreadable } = scanFunctions();
  for (const { name, problem } of unreadable) say(`${name}: not read: ${problem}`);
  if (functions.length === 0) throw new CommandFailed(exitCode.notFound, 'this machine shows no PCI function');
  if (options.server !== undefined) {
    const pushed = await pushFunctions(new LedgerClient(options.server), options.host, kernel, functions, {
      maxPasidLog2: options.maxPasidLog2, exec: false, priv: false, atsSupported: false,
    });
    if (options.json) printJson({ host: options.host, ...pushed });
    else print(`${pushed.recorded} functions of ${options.host} recorded, ${pushed.skipped} skipped`);
  } else if (options.lspci) {
    print(writeLspciText(functions.map(({ address, space }) => ({ address, title: '', space }))).trimEnd());
  } else if (options.json) {
    printJson({ host: options.host, kernel, functions: functions.map(asJson) });
  } else {
    print(table(['address', 'vendor:device', 'class', 'bytes', 'role', 'capabilities'], functions.map(asRow)));
  }
}

/** Pushes functions one by one; what a ledger cannot take (a capture that is not whole) is said and skipped. */
export async function pushFunctions(
  client: LedgerClient, host: string, kernel: ObservedKernel, functions: readonly ScannedFunction[], iommu: IommuFacts,
): Promise<{ readonly recorded: number; readonly skipped: number }> {
  const bar = progress('pushing functions');
  let recorded = 0;
  let skipped = 0;
  for (const { address, space, role, pf } of functions) {
    if (space.isWhole) {
      await client.post('/v1/functions', randomUUID(), {
        host, address, kernel, iommu, sriov: { role, pf },
        configSpace: { encoding: 'base64', data: Buffer.from(space.toBytes()).toString('base64') },
      });
      recorded += 1;
    } else {
      say(`${address}: only ${space.capturedBytes} of ${space.size} bytes could be read; run as root. Skipped.`);
      skipped += 1;
    }
    bar.update(recorded + skipped, functions.length);
  }
  bar.stop();
  return { recorded, skipped };
}

function asRow({ address, space, role }: ScannedFunction): readonly string[] {
  const { header, capabilities } = survey(space, role);
  const id = (value: number): string => value.toString(16).padStart(4, '0');
  const listed = capabilities.map((one) => `${one.row.name}@${one.offset.toString(16)}`).join(' ');
  const model = `${id(header.vendorId)}:${id(header.deviceId)}`;
  return [address, model, hex(header.classCode, 6), String(space.capturedBytes), role, listed];
}

function asJson({ address, space, role, pf }: ScannedFunction): object {
  return {
    address, role, pf, size: space.size, capturedBytes: space.capturedBytes,
    configSpace: { encoding: 'base64', data: Buffer.from(space.toBytes()).toString('base64') },
  };
}
