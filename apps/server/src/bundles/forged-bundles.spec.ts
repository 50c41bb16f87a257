import fc from 'fast-check';
import { canonicalJson, Digest } from '@cadastre/device-layout';
import {
  BundleChain, type BundleLine, type DecidedLayout, decodeEvent, layoutLine, type Observation, readBundle,
} from '@cadastre/lifecycle';
import { look, sampleBytes, TestServer } from '../testing.js';

const nic = '/v1/vms/vm-1/devices/nic0';
const lines = { 'content-type': 'application/x-ndjson' };
const reads = [
  nic, `${nic}/config-space`, `${nic}/history`, `${nic}/layout`, `${nic}/explain?byte=0x134`, '/v1/vms/vm-1/replay',
  '/v1/devices', '/v1/vms/vm-1/bundle', '/v1/events',
];
const seed = Number(process.env['CADASTRE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const runs = process.env['CADASTRE_LONG'] ? 20_000 : 60;

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Every place in a value that can be changed. */
function placesIn(value: Json, at: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, one]) => placesIn(one, [...at, name]))];
}

function put(value: Json, [first, ...rest]: readonly (string | number)[], other: Json): Json {
  if (first === undefined) return other;
  if (Array.isArray(value)) {
    return value.map((one: Json, index) => (String(index) === first ? put(one, rest, other) : one));
  }
  return { ...(value as object), [first]: put((value as Record<string, Json>)[first] ?? null, rest, other) };
}

const anything = fc.constantFrom<Json>(
  null, true, 0, -1, 7, 4_095, 4_096, 2 ** 40, '', 'x', 'sha256:x', [], {}, [null], [{}], { name: 'x' });

describe(`whoever can write a chain (CADASTRE_SEED=${seed})`, () => {
  it('cannot make the ledger fail, whatever is in the events', async () => {
    const source = await TestServer.open();
    await source.post('/v1/functions', look({ host: 'host-a', address: '0000:03:00.0' }));
    await source.post(`${nic}/attach`, {
      function: { host: 'host-a', address: '0000:03:00.0' }, capabilities: [{ name: 'pasid' }],
      vmm: { name: 'qemu', version: '11.0' } });
    const bundle = (await source.get('/v1/vms/vm-1/bundle')).text.trimEnd().split('\n')
      .map((text) => withoutChain(JSON.parse(text) as BundleLine & { chain?: string }));
    await source.close();
    const events = bundle.flatMap((line, index) => (line.line === 'event' ? [{ index, line }] : []));
    const places = events.flatMap(({ index, line }) =>
      placesIn((JSON.parse(line.data) as { data: Json }).data).map((place) => [index, place] as const));
    let server: TestServer | undefined;
    const told = new Map<number, number>();
    await fc.assert(fc.asyncProperty(fc.constantFrom(...places), anything, async ([index, place], other) => {
      server ??= await opened();
      const named = `${place.join('/')} = ${JSON.stringify(other)}`;
      const forged = forge(bundle, index, place, other);
      const order = JSON.stringify({ target: { host: 'host-z', functions: { nic0: '0000:07:00.0' } } });
      const reply = await server.post('/v1/vms/vm-1/imports', `${order}\n${forged}`, lines);
      told.set(reply.status, (told.get(reply.status) ?? 0) + 1);
      expect([named, reply.status, reply.status < 500 ? '' : reply.text]).toEqual([named, reply.status, '']);
      if (reply.status !== 201) return;
      for (const path of reads) {
        const { status, text } = await server.get(path);
        expect([named, path, status < 500 ? '' : text]).toEqual([named, path, '']);
      }
      const again = readBundle((await server.get('/v1/vms/vm-1/bundle')).text.trimEnd().split('\n'));
      expect([named, again.ok || again.refusal]).toEqual([named, true]);
      await server.close();
      server = undefined;
    }), { seed, numRuns: runs, endOnFailure: true });
    // Some of it is taken: what no digest covers, a forger may say.
    expect(told.get(201)).toBeGreaterThan(0);
  }, 300_000);
});

function withoutChain(line: BundleLine & { chain?: string }): BundleLine {
  delete line.chain;
  return line;
}

async function opened(): Promise<TestServer> {
  const server = await TestServer.open();
  const configSpace = { encoding: 'base64', data: sampleBytes('e1000e').toString('base64') };
  await server.post('/v1/functions', look({ host: 'host-z', address: '0000:07:00.0', configSpace }));
  return server;
}

/** Writing a document, which only readers guard, walks from the offset of a placement for its length. */
function isWalkable({ placements }: Pick<DecidedLayout, 'placements'>): boolean {
  return placements.every(({ offset, length }) => Number.isInteger(offset) && Number.isInteger(length));
}

/** A bundle that is consistent in itself, with another value in one event. */
function forge(
  bundle: readonly BundleLine[], index: number, place: readonly (string | number)[], other: Json,
): string {
  const chain = new BundleChain();
  let observed: Observation | undefined;
  let event: ReturnType<typeof decodeEvent>['event'] | undefined;
  return bundle.map((line, at): string => {
    let written = line;
    if (written.line === 'event' && at === index) {
      const stored = JSON.parse(written.data) as { data: Json };
      const data = canonicalJson({ ...stored, data: put(stored.data, place, other) });
      written = { ...written, data, sha256: Digest.of(data).slice('sha256:'.length) };
    }
    try {
      if (written.line === 'event') ({ event } = decodeEvent(written.data));
      if (event?.type === 'FunctionObserved') observed = event;
      if (written.line === 'layout' && event?.type === 'LayoutDecided' && observed && isWalkable(event)) {
        written = layoutLine(written, event, observed, []);
      }
    } catch {
      // No event, or no layout can be written of it: the line stays as it was.
    }
    return chain.write(written);
  }).join('\n');
}
