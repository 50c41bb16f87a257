import { IsOptional } from 'class-validator';
import { type ImportTarget } from '@cadastre/ledger';
import { vmmOf } from '../devices/layout-wish.js';
import { parse } from '../http/parse-name.js';
import { assertSoundBody } from '../http/sound-body.js';
import { IsNested, validationPipe } from '../http/validation.js';
import { MigrationTargetDto } from '../migrations/migrations.dto.js';
import { EdgeProblem } from '../problems/edge-problem.js';

/** The first line of an import. */
class ImportOrderDto {
  /** As of a migration; left out where no device was attached. */
  @IsOptional() @IsNested(() => MigrationTargetDto)
  target?: MigrationTargetDto | null;
}

const pipe = validationPipe();

/** Takes an import apart: where the devices go, and the lines of the bundle. */
export async function readImport(
  body: string,
): Promise<{ readonly target: ImportTarget | null; readonly lines: readonly string[] }> {
  const [first = '', ...lines] = body.split('\n');
  // A file ends with a line break; a line behind it would be one too many.
  if (lines.at(-1) === '') lines.pop();
  const given = parsed(first);
  assertSoundBody(given, ['/target/functions']);
  const { target } = await pipe.transform(given, { type: 'body', metatype: ImportOrderDto }) as ImportOrderDto;
  return { lines, target: target ? {
    host: parse.host(target.host, '/target/host'), vmm: target.vmm ? vmmOf(target.vmm, '/target/vmm') : null,
    functions: new Map(Object.entries(target.functions).map(([device, address]) =>
      [String(parse.device(device, '/target/functions')), parse.functionOf(device, address)] as const)),
  } : null };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new EdgeProblem('body-malformed', `the first line: ${problem}`,
      [{ pointer: '', detail: `the first line: ${problem}`, limit: 'a JSON object with the target' }]);
  }
}
