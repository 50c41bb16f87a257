import { Command, CommanderError } from 'commander';
import { addBundles } from './commands/bundles.js';
import { addDecode } from './commands/decode.js';
import { addDemo } from './commands/demo.js';
import { addExplain } from './commands/explain.js';
import { addIdentify } from './commands/identify.js';
import { addKnobs } from './commands/knobs.js';
import { addLayouts } from './commands/layouts.js';
import { addPlan } from './commands/plan.js';
import { addPredict } from './commands/predict.js';
import { addRegister } from './commands/register.js';
import { addReplay } from './commands/replay.js';
import { addScan } from './commands/scan.js';
import { addServe } from './commands/serve.js';
import { addViews } from './commands/views.js';
import { CommandFailed, exitCode } from './exit-code.js';
import { say } from './terminal.js';

const program = new Command('cadastre')
  .description('The land registry of PCI config space')
  .version('0.1.0')
  .showHelpAfterError('(cadastre --help tells more)')
  .exitOverride();
const commands = [
  addServe, addScan, addRegister, addDecode, addPlan, addLayouts, addExplain, addPredict, addKnobs, addIdentify,
  addReplay, addBundles, addViews, addDemo,
];
for (const add of commands) add(program);
for (const command of program.commands) {
  command.exitOverride();
  for (const inner of command.commands) inner.exitOverride();
}

// A reader that has enough (`cadastre decode ... | head`) closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCode.ok);
  say(`cadastre: cannot write: ${error.message}`);
  process.exit(exitCode.io);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = codeOf(error);
}

function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  if (error instanceof CommandFailed) {
    say(`cadastre: ${error.message}`);
    return error.code;
  }
  throw error;
}
