import { ok, type Result } from '@cadastre/config-space';
import {
  fold, type FunctionCommand, functionDecider, type FunctionEvent, type FunctionRefusal, type FunctionState,
  functionStream,
} from '@cadastre/lifecycle';
import { type Change } from '../recorder.js';
import { type Read, type StreamReader } from '../stream-reader.js';

interface Draft extends Read<FunctionState> {
  readonly events: readonly FunctionEvent[];
}

/**
 * What commands to several functions come to, decided one behind the other and each stream read once: a function that
 * is released and whose shared capability is freed is one change. Streams nothing happens to are left out.
 */
export async function functionChanges(
  reader: StreamReader, commands: readonly FunctionCommand[],
): Promise<Result<readonly Change[], FunctionRefusal>> {
  const drafts = new Map<string, Draft>();
  for (const command of commands) {
    const stream = functionStream(command.key);
    const { state, revision, events } = drafts.get(stream) ?? { ...await reader.function(command.key), events: [] };
    const decided = functionDecider.decide(command, state);
    if (!decided.ok) return decided;
    drafts.set(stream, {
      state: fold(functionDecider, decided.value, state), revision, events: [...events, ...decided.value],
    });
  }
  return ok([...drafts].filter(([, { events }]) => events.length > 0)
    .map(([stream, { revision, events }]) => ({ stream, expectedRevision: revision, events })));
}
