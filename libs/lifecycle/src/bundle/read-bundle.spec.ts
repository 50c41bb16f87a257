import { canonicalJson, Digest } from '@cadastre/device-layout';
import { type Decider, fold } from '../decider.js';
import { deviceDecider } from '../device/device-decider.js';
import { type DeviceEvent } from '../device/device-events.js';
import { encodeEvent, type LedgerEvent } from '../event-codec.js';
import { functionDecider, type RegisteredFunction } from '../function/function-decider.js';
import { type FunctionEvent } from '../function/function-events.js';
import { VmId } from '../name.js';
import { deviceStream, functionStream } from '../stream-key.js';
import { deviceKey, functionKey, given, observation, qemu11, sure, wish } from '../testing.js';
import { BundleChain, bundleFormat, type BundleLine } from './bundle-line.js';
import { readBundle } from './read-bundle.js';
import { layoutLine } from './write-bundle.js';

const key = deviceKey();
const stream = deviceStream(key);
const observed = observation();
const seen: readonly FunctionEvent[] = [
  { type: 'FunctionRegistered', schema: 1, ...functionKey() },
  { type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...observed },
];
const owned = stateOf(functionDecider, seen) as RegisteredFunction;
const attached: readonly DeviceEvent[] = sure(given(deviceDecider).when({
  kind: 'attach-device', key, hotPlugOrder: 3, wish: wish({ vmm: qemu11 }),
  ground: { function: owned, physicalFunction: null, evidence: null },
}));
const detached: DeviceEvent = { type: 'DeviceDetached', schema: 1, function: functionKey(), reason: 'VM stopped' };

function stateOf<Command, State, Event, Refusal>(
  decider: Decider<Command, State, Event, Refusal>, events: readonly Event[],
): State {
  return fold(decider, events);
}

const head: BundleLine = { line: 'bundle', format: bundleFormat, vm: key.vm, position: 100 };

function eventLine(event: LedgerEvent, of: string, revision: number): BundleLine {
  const data = encodeEvent({ event, envelope: {
    idempotencyKey: 'k', requestDigest: Digest.of('request'), recordedAt: '2026-11-28T12:00:00.000Z' } });
  const sha256 = Digest.of(data).slice('sha256:'.length);
  return { line: 'event', position: revision, stream: of, revision, id: 'id', type: event.type, sha256, data };
}

const captured = eventLine(seen[1] as LedgerEvent, functionStream(functionKey()), 1);

/** A bundle of one device with these events, behind those its layout stands on. */
function linesOf(events: readonly DeviceEvent[], needed: readonly BundleLine[] = [captured]): readonly BundleLine[] {
  const lines: BundleLine[] = [head, ...needed];
  for (const [revision, event] of events.entries()) {
    lines.push(eventLine(event, stream, revision));
    const state = fold(deviceDecider, events.slice(0, revision + 1));
    if (event.type === 'LayoutImported') lines.push(layoutLine({ stream, revision }, event.layout, event.observed, []));
    if (event.type !== 'LayoutDecided' || state.kind !== 'attached' || !state.layout) continue;
    lines.push(layoutLine({ stream, revision }, state.layout, observed, []));
  }
  const { kind } = fold(deviceDecider, events);
  if (kind === 'unknown') throw new Error('no device');
  lines.push({ line: 'device', stream, revision: events.length - 1, state: kind });
  const count = (name: string): number => lines.filter(({ line }) => line === name).length;
  lines.push({ line: 'end', events: count('event'), layouts: count('layout'), devices: count('device') });
  return lines;
}

function written(lines: readonly BundleLine[]): readonly string[] {
  const chain = new BundleChain();
  return lines.map((line) => chain.write(line));
}

const lines = linesOf(attached);
const texts = written(lines);

describe('a bundle', () => {
  it('that is whole tells each device with its newest layout and the bytes it stands on', () => {
    const bundle = sure(readBundle(texts));
    expect(bundle).toMatchObject({ vm: key.vm, position: 100, events: 3, layouts: 1 });
    expect(bundle.devices).toMatchObject([{
      key, revision: 1, state: 'attached', function: functionKey(), hotPlugOrder: 3, isFound: false,
      layout: { placements: [{ name: 'pasid', offset: 0x134 }] },
      observed: { configSpaceDigest: observed.configSpaceDigest },
    }]);
  });

  it('is named by a digest that any other content changes', () => {
    const other = sure(readBundle(written(linesOf([...attached, detached]))));
    expect(other.devices).toMatchObject([{ state: 'detached', function: functionKey() }]);
    expect(other.digest).not.toBe(sure(readBundle(texts)).digest);
    expect(sure(readBundle(written(lines))).digest).toBe(sure(readBundle(texts)).digest);
  });

  const indexes = texts.map((_text, index) => index);
  it.each(indexes)('is refused at line %# when that is changed, lost or told twice', (index) => {
    const text = texts[index] ?? '';
    const damaged = { ok: false, refusal: { kind: 'bundle-damaged', line: index + 1 } };
    const changed = text.replace(/\d(?=[^\d]*$)/, (digit) => String((Number(digit) + 1) % 10));
    expect(changed).not.toBe(text);
    expect(readBundle(texts.with(index, changed))).toMatchObject(damaged);
    expect(readBundle([...texts.slice(0, index + 1), ...texts.slice(index)]))
      .toMatchObject({ ok: false, refusal: { line: index + 2 } });
    const without = readBundle(texts.toSpliced(index, 1));
    // Without its last line it is cut; without any other, the one that takes its place does not follow.
    expect(without).toMatchObject(index === texts.length - 1 ? { ok: false, refusal: { line: index } } : damaged);
  });

  it('is refused for any character that is not what it was', () => {
    const whole = texts.join('\n');
    for (let at = 0; at < whole.length; at += 23) {
      const put = whole[at] === 'x' ? 'y' : 'x';
      const read = readBundle(`${whole.slice(0, at)}${put}${whole.slice(at + 1)}`.split('\n'));
      if (read.ok) throw new Error(`character ${at}`);
    }
  });

  it('that is cut is refused wherever it was', () => {
    const whole = texts.join('\n');
    for (let length = 0; length < whole.length; length += 101) {
      expect(readBundle(whole.slice(0, length).split('\n')).ok).toBe(false);
    }
    expect(readBundle([])).toMatchObject({ refusal: { problem: 'it is empty' } });
    expect(readBundle(texts.slice(0, 3)))
      .toMatchObject({ refusal: { line: 3, event: `${stream}@0`, problem: expect.stringContaining('cut') as string } });
  });

  it.each<[string, (text: string) => string]>([
    ['a member told twice', (text) => text.replace('"line":', '"line":"nothing","line":')],
    ['white space', (text) => text.replace('":', '": ')],
    ['a space behind it', (text) => `${text} `],
    ['the line break of another system', (text) => `${text}\r`],
    ['members in another order', (text) => text.replace(/^\{("chain":"[^"]+"),(.*)\}$/, '{$2,$1}')],
    ['a letter spelt by its number', (text) => text.replace('"line"', '"l\\u0069ne"')],
  ])('with %s is refused at that line, though it says the same', (_what, respelt) => {
    for (const [index, text] of texts.entries()) {
      const other = respelt(text);
      expect([other === text, JSON.parse(other)]).toEqual([false, JSON.parse(text)]);
      expect(readBundle(texts.with(index, other))).toMatchObject({ ok: false, refusal: {
        kind: 'bundle-damaged', line: index + 1, problem: 'it is not written as it was: not in canonical form' } });
    }
  });

  it('of another format is refused by its name', () => {
    expect(readBundle(['{"line":"bundle","format":"cadastre.bundle/2"}'])).toEqual({
      ok: false, refusal: { kind: 'bundle-of-another-format', format: 'cadastre.bundle/2', known: bundleFormat } });
  });
});

describe('a bundle of a device whose layout was decided over host facts', () => {
  const kernel = { release: '7.3.1', flavour: 'upstream' };
  const [facts] = sure(given(functionDecider, ...seen).when({
    kind: 'observe-function', key: functionKey(), observation: observation({ kernel }), running: null }));
  if (facts?.type !== 'HostFactsObserved') throw new Error('the bytes are as they were');
  const over = sure(given(deviceDecider).when({
    kind: 'attach-device', key, hotPlugOrder: 3, wish: wish({ vmm: qemu11 }),
    ground: { function: stateOf(functionDecider, [...seen, facts]) as RegisteredFunction, physicalFunction: null,
      evidence: null },
  }));
  const told = (change: Partial<typeof facts> = {}): BundleLine =>
    eventLine({ ...facts, ...change }, functionStream(functionKey()), 2);

  it('has the facts of then, and the bytes they were told over', () => {
    const bundle = sure(readBundle(written(linesOf(over, [captured, told()]))));
    expect(bundle).toMatchObject({ events: 4, devices: [{ layout: { observation: { revision: 2 } } }] });
    expect(bundle.devices[0]?.observed).toEqual(observation({ kernel }));
  });

  it.each<[string, readonly BundleLine[], RegExp]>([
    ['without the bytes', [told()], /bytes it was told over are missing: function-host-a.*@1/],
    ['with the bytes behind it', [told(), captured], /bytes it was told over are missing/],
    ['with other facts for the bytes', [captured, told(), told({ configSpaceRevision: 2 })], /are missing: .*@2/],
    ['with other bytes', [captured, told({ configSpaceDigest: Digest.of('others') })], /are missing/],
    ['without the facts', [captured], /observation it stands on is missing: .*@2/],
  ])('is refused %s', (_what, needed, problem) => {
    expect(readBundle(written(linesOf(over, needed)))).toMatchObject({
      ok: false, refusal: { kind: 'bundle-damaged', problem: expect.stringMatching(problem) as string } });
  });
});

/** Somebody who knows how lines are chained and writes a bundle of their own. */
describe('a bundle that was forged', () => {
  type Event = Extract<BundleLine, { line: 'event' }>;
  const change = (index: number, put: (line: never) => object): readonly string[] =>
    written(lines.map((line, at) => (at === index ? put(line as never) as BundleLine : line)));
  const decided = lines.findIndex((line) => line.line === 'event' && line.type === 'LayoutDecided');
  const again = (line: Event, edit: (data: string) => string): Event => {
    const data = edit(line.data);
    return { ...line, data, sha256: Digest.of(data).slice('sha256:'.length) };
  };

  it.each<[string, readonly string[], RegExp]>([
    ['an event that is not what its hash says', change(2, (line: Event) =>
      ({ ...line, data: `${line.data} ` })), /hash/],
    ['an event under another type', change(2, (line: Event) =>
      ({ ...line, type: 'DeviceDetached' })), /DeviceAttached/],
    ['an event in other than canonical form', change(2, (line: Event) =>
      again(line, (data) => ` ${data}`)), /canonical/],
    ['an event nobody knows', change(2, (line: Event) =>
      again(line, (data) => data.replaceAll('DeviceAttached', 'DevicePainted'))), /DevicePainted/],
    ['an event from behind the end', change(2, (line: Event) => ({ ...line, position: 101 })), /position 101/],
    ['a place moved in the layout', change(decided, (line: Event) =>
      again(line, (data) => data.replaceAll('"offset":308', '"offset":312'))), /layout is sha256/],
    ['other bytes observed', change(1, (line: Event) =>
      again(line, (data) => data.replace('"configSpace":"', '"configSpace":"AAAA'))), /bytes|replay/],
    ['another device', change(2, (line: Event) => ({ ...line, stream: 'device-vm-1/gpu1' })), /it is about/],
    ['a revision left out', change(decided, (line: Event) => ({ ...line, revision: 2 })), /revision 1 is missing/],
    ['no observation', written(lines.toSpliced(1, 1)), /observation it stands on is missing/],
    ['no document', written(lines.toSpliced(decided + 1, 1)), /layout of the event before it is missing/],
    ['another document', change(decided + 1, (line: object) =>
      ({ ...line, document: {} })), /document is not the layout/],
    ['another digest', change(decided + 1, (line: object) =>
      ({ ...line, layoutDigest: Digest.of('x') })), /layoutDigest/],
    ['another state', change(lines.length - 2, (line: object) => ({ ...line, state: 'detached' })), /not as many/],
    ['another count', change(lines.length - 1, (line: object) => ({ ...line, events: 7 })), /7 events/],
    ['another VM', written([{ ...head, vm: sure(VmId.from('vm-2')) }, ...lines.slice(1)]), /it is about/],
    ['an event of somebody else', written(lines.toSpliced(1, 0, eventLine(
      { type: 'FunctionReleased', schema: 1, ...key }, functionStream(functionKey()), 2))), /no place in a bundle/],
    ['a device that never began', written([head, eventLine(detached, stream, 0), ...lines.slice(-1)]), /begins with/],
    ['something behind the end', [...texts, texts[0] ?? ''], /follows the last line/],
    ['a line of another kind', change(2, () => ({ line: 'note' })), /unknown kind/],
    ['no object', ['[]'], /follow|object/], ['no JSON', ['nothing'], /JSON/],
  ])('with %s is refused, and says why', (_what, forged, problem) => {
    expect(readBundle(forged)).toMatchObject({
      ok: false, refusal: { kind: 'bundle-damaged', problem: expect.stringMatching(problem) as string } });
  });

  it('is what it is when only its own words are consistent: who wrote it is not told by it', () => {
    const renamed = lines.map((line) => (line.line === 'event' && line.type === 'DeviceAttached'
      ? again(line, (data) => data.replace('"hotPlugOrder":3', '"hotPlugOrder":4')) : line));
    const read = sure(readBundle(written(renamed)));
    expect(read.devices).toMatchObject([{ hotPlugOrder: 4 }]);
    expect(read.digest).not.toBe(sure(readBundle(texts)).digest);
  });
});

describe('a device that is imported', () => {
  const bundle = sure(readBundle(texts));
  const [device] = bundle.devices;
  if (!device) throw new Error('no device');
  const { revision, layout, plugins, hotPlugOrder, isFound, function: source } = device;
  const imported = {
    bundle: bundle.digest, source: { stream, revision, position: 100, function: source }, layout, observed,
    plugins, hotPlugOrder, isFound,
  };

  it('is detached here, and its places are those the guest may have cached', () => {
    const events = sure(given(deviceDecider).when({ kind: 'import-device', key, imported, move: null }));
    expect(events.map(({ type }) => type)).toEqual(['LayoutImported']);
    const again = sure(given(deviceDecider, ...events).when({
      kind: 'attach-device', key, hotPlugOrder: null, wish: wish({ policy: { ...wish().policy, strategies: ['gap'] } }),
      ground: { function: owned, physicalFunction: null, evidence: null },
    }));
    expect(again).toMatchObject([
      { type: 'DeviceAttached' }, { type: 'LayoutDecided', placements: [{ offset: 0x134 }] }]);
  });

  it('is not taken for one that is attached here', () => {
    expect(given(deviceDecider, ...attached).when({ kind: 'import-device', key, imported, move: null }))
      .toMatchObject({ ok: false, refusal: { kind: 'device-attached' } });
  });

  it('is read back from a bundle of the ledger it came to', () => {
    const events = sure(given(deviceDecider).when({ kind: 'import-device', key, imported, move: null }));
    const [event] = events;
    if (event?.type !== 'LayoutImported') throw new Error('not imported');
    const further: readonly BundleLine[] = [
      head, eventLine(event, stream, 0), layoutLine({ stream, revision: 0 }, layout, observed, []),
      { line: 'device', stream, revision: 0, state: 'detached' }, { line: 'end', events: 1, layouts: 1, devices: 1 },
    ];
    expect(sure(readBundle(written(further))).devices).toMatchObject([{ state: 'detached', function: source }]);
    expect(canonicalJson(JSON.parse(written(further)[1] ?? ''))).toBe(written(further)[1]);
  });
});

describe('a bundle of a device that came with a persona', () => {
  const persona = { name: 'nic', version: 2, digest: Digest.of('as it was published elsewhere') };
  const [begun, ...decisions] = attached;
  const decided = { ...decisions[0], persona } as DeviceEvent;
  const state = fold(deviceDecider, [...attached, decided]);
  if (!begun || state.kind !== 'attached' || !state.layout) throw new Error('an attach decides');
  const worn = state.layout;
  const imported: DeviceEvent = {
    type: 'LayoutImported', schema: 1, ...key, bundle: Digest.of('bundle'), layout: worn, observed, found: true,
    source: { stream, revision: 1, position: 100, function: functionKey() }, function: functionKey(),
    hotPlugOrder: null, verdict: null, plugins: [],
  };
  const told = (events: readonly DeviceEvent[]): readonly string[] => written(linesOf(events));

  it('needs it no more: what it is was told by the import', () => {
    expect(sure(readBundle(told([imported, decided]))).devices)
      .toMatchObject([{ state: 'attached', layout: { persona } }]);
  });

  it.each<[string, readonly DeviceEvent[]]>([
    ['another version', [{ ...decided, persona: { ...persona, version: 3 } } as DeviceEvent]],
    ['one with another layout', [{ ...decided, persona: { ...persona, digest: Digest.of('other') } } as DeviceEvent]],
    ['the same behind a new attachment', [decided, detached, begun, decided]],
  ])('needs %s as it was published', (_what, events) => {
    expect(readBundle(told([imported, ...events]))).toMatchObject({
      ok: false, refusal: { problem: expect.stringMatching(/persona it wears is missing: nic@/) as string } });
  });

  it.each([[0], ['nic'], [{}], [{ ...persona, name: 'no/name' }], [{ ...persona, version: 0 }],
    [{ ...persona, digest: 7 }]])('is refused when the persona is %j', (other) => {
    const forged = { ...imported, layout: { ...worn, persona: other } } as unknown as DeviceEvent;
    expect(readBundle(told([forged]))).toMatchObject({
      ok: false, refusal: { problem: expect.stringMatching(/is no version of a persona/) as string } });
  });
});
