import { randomUUID } from 'node:crypto';
import { release } from 'node:os';
import { type Command } from 'commander';
import { type SriovRole } from '@cadastre/config-space';
import { LedgerClient } from '../api/ledger-client.js';
import { CommandFailed, exitCode } from '../exit-code.js';
import { thisHost } from '../host/this-host.js';
import { print, say } from '../terminal.js';
import { flavourOf, kernelReleaseOf, ledgerUrlOf, pasidLog2Of, roleOf } from './options.js';
import { readCaptures } from './read-captures.js';

interface RegisterOptions {
  readonly server: string;
  readonly host: string;
  readonly role: SriovRole;
  readonly pf?: string;
  readonly maxPasidLog2: number;
  readonly kernel: string;
  readonly flavour: string;
}

export function addRegister(program: Command): void {
  program.command('register')
    .description('record the functions of a dump in a ledger, as this or another host saw them')
    .argument('<file>', 'dump to read; - reads standard input')
    .requiredOption('--server <url>', 'ledger, for example http://127.0.0.1:8420', ledgerUrlOf)
    .option('--host <name>', 'name of the host in the ledger', thisHost())
    .option('--role <role>', 'SR-IOV role of every function in the dump: pf, vf or none', roleOf, 'none')
    .option('--pf <address>', 'physical function of the VFs in the dump')
    .option('--max-pasid-log2 <bits>', 'PASID width of the IOMMU', pasidLog2Of, 0)
    .option('--kernel <release>', 'kernel of the host', kernelReleaseOf, release())
    .option('--flavour <name>', 'kernel tree of the host: upstream or nvidia', flavourOf, 'upstream')
    .action(register);
}

async function register(file: string, options: RegisterOptions): Promise<void> {
  const client = new LedgerClient(options.server);
  const captures = readCaptures(file);
  const part = captures.find(({ space }) => !space.isWhole);
  if (part) {
    const { address, space } = part;
    throw new CommandFailed(exitCode.negative,
      `${address} has ${space.capturedBytes} of ${space.size} bytes; take the dump as root. Nothing was recorded.`);
  }
  for (const { address, space } of captures) {
    const { body } = await client.post('/v1/functions', randomUUID(), {
      host: options.host, address,
      configSpace: { encoding: 'base64', data: Buffer.from(space.toBytes()).toString('base64') },
      kernel: { release: options.kernel, flavour: options.flavour },
      iommu: { maxPasidLog2: options.maxPasidLog2, exec: false, priv: false, atsSupported: false },
      sriov: { role: options.role, pf: options.pf ?? null },
    });
    const { recorded, revision } = body as { recorded: string; revision: number };
    print(`${options.host}/${address} ${recorded}, revision ${revision}`);
  }
  if (options.maxPasidLog2 === 0) say('PASID cannot be attached to it: --max-pasid-log2 tells the width of the IOMMU');
}
