import { existsSync, readFileSync } from 'node:fs';
import { express, u32 } from '@cadastre/config-space/testing';
import { explainByte } from './explain-byte.js';
import {
  documentDigest, type LayoutDocument, layoutDocumentSchema, readLayoutDocument, writeLayoutDocument,
} from './layout-document.js';
import { layoutDocument } from './make-layout-document.js';
import { type LayoutRequest } from './plan-layout.js';
import { planned, surveyOf, wholePasid } from './testing.js';

const reason = 'no VFs in a VM';
const over = surveyOf({
  vendorId: 0x1234, deviceId: 0x5678, revision: 3, subsystemVendorId: 0x1af4, subsystemId: 0x1100,
  standard: [{ id: 1, offset: 0x40, body: [3, 0, 8, 0] }, express({ offset: 0x60 }), { id: 5, offset: 0xa0 }],
  extended: [{ id: 1, offset: 0x100 }, { id: 0x10, offset: 0x160, body: u32(7) }, { id: 0x0b, offset: 0x200,
    body: u32(0x02000001) }],
  bytes: { 0x700: [1, 2, 3] },
});
const documentOf = (change: Partial<LayoutRequest> = {}): LayoutDocument => {
  const { layout, guestConfigSpace } = planned(over, change);
  return layoutDocument(over, layout, guestConfigSpace);
};
const document = documentOf({
  wanted: [wholePasid, { name: 'pri', registers: {} }],
  operations: [{ kind: 'hide-capability', space: 'extended', id: 0x10, offset: null, reason }],
});
type Json = Record<string, unknown>;
const written = (): Json => JSON.parse(writeLayoutDocument(document)) as Json;
const rangeAt = (at: number) => document.ranges.find((one) => one.offset <= at && one.offset + one.length > at);

describe('a layout document', () => {
  it('reads back as it was written', () => {
    const read = readLayoutDocument(writeLayoutDocument(document));
    expect(read.ok && read.value).toEqual(document);
    expect(read.ok && writeLayoutDocument(read.value)).toBe(writeLayoutDocument(document));
  });

  it('has every capability with its origin and what is behind it', () => {
    expect(document.capabilities.map(({ name, offset, length, origin, backing }) =>
      [name, offset, length, origin, backing.kind])).toEqual([
      ['PM', 0x40, 8, 'physical', 'physical'], ['EXP', 0x60, 0x3c, 'physical', 'physical'],
      ['MSI', 0xa0, 10, 'physical', 'physical'], ['AER', 0x100, 0x2c, 'physical', 'physical'],
      ['PASID', 0x134, 8, 'synthetic', 'emulated'], ['PRI', 0x13c, 16, 'synthetic', 'emulated'],
      ['VSEC', 0x200, 0x20, 'physical', 'physical']]);
    expect(document.capabilities[4]?.backing).toEqual({
      kind: 'emulated', writable: [{ offset: 0x138, mask: 0x00070000 }] });
  });

  it.each<[string, number, string, string, string]>([
    ['an ID', 0x00, 'identical', 'dropped', 'header'],
    ['a BAR', 0x10, 'ignore', 'emulated', 'header'],
    ['a header in a list', 0x101, 'identical', 'dropped', 'AER'],
    ['a status register', 0x104, 'ignore', 'hardware', 'AER'],
    ['device capabilities', 0x64, 'identical', 'dropped', 'EXP'],
    ['a control', 0x68, 'ignore', 'hardware', 'EXP'],
    ['MSI control: the VMM has it', 0xa2, 'consistent', 'emulated', 'MSI'],
    ['what a vendor keeps there', 0x210, 'consistent', 'hardware', 'VSEC'],
    ['the capability register of PASID', 0x139, 'identical', 'dropped', 'gap'],
    ['its control: never the hardware (R16)', 0x13a, 'consistent', 'emulated', 'gap'],
    ['a hidden capability', 0x164, 'consistent', 'dropped', 'hide-capability'],
    ['a byte nobody knows', 0x701, 'ignore', 'hardware', 'gap'],
  ])('says how %s behaves', (_, at, compare, write, rule) => {
    expect(rangeAt(at)).toMatchObject({ compare, write, provenance: { rule } });
  });

  it('has a digest of everything in it, stable and sensitive', () => {
    expect(documentDigest(documentOf())).toBe(documentDigest(documentOf()));
    expect(documentDigest(documentOf())).not.toBe(documentDigest(document));
    expect(documentDigest(document)).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('is canonical JSON people can read', () => {
    const text = writeLayoutDocument(document);
    expect(text).toContain('"offset":"0x134"');
    expect(text).toContain('"vendorId":"0x1234"');
    expect(text).not.toContain('\n');
  });

  it('is of the published schema', () => {
    const page = new URL('../../../docs/reference/cadastre.layout-1.schema.json', import.meta.url);
    const text = `${JSON.stringify(layoutDocumentSchema, null, 2)}\n`;
    expect(existsSync(page) ? readFileSync(page, 'utf8') : '').toBe(text);
  });
});

describe('a document is refused', () => {
  it('by the name of a version this one does not know', () => {
    expect(readLayoutDocument({ ...written(), format: 'cadastre.layout/2' }))
      .toEqual({ ok: false, refusal: { kind: 'layout-version-unknown', format: 'cadastre.layout/2' } });
  });

  it('when its digest is of something else', () => {
    expect(readLayoutDocument({ ...written(), planner: 'planner/2' }))
      .toMatchObject({ ok: false, refusal: { kind: 'layout-digest-differs' } });
  });

  it('when it is no JSON', () => {
    expect(readLayoutDocument('{')).toMatchObject({ refusal: { kind: 'layout-malformed', pointer: '' } });
  });

  const edited = (edit: (json: Json) => void): Json => {
    const json = written();
    edit(json);
    return json;
  };
  const items = (json: Json, name: string): Json[] => json[name] as Json[];
  it.each<[string, unknown]>([
    ['', []], ['', null], ['', 'null'],
    ['/more', edited((json) => { json['more'] = 1; })],
    ['/ranges', edited((json) => { delete json['ranges']; })],
    ['/configSize', edited((json) => { json['configSize'] = 512; })],
    ['/identity/vendorId', edited((json) => { (json['identity'] as Json)['vendorId'] = '0x1235'; })],
    ['/identity/vendorId', edited((json) => { (json['identity'] as Json)['vendorId'] = 0x1234; })],
    ['/identity/vendorId', edited((json) => { (json['identity'] as Json)['vendorId'] = '0x01234'; })],
    ['/capabilities/0/offset', edited((json) => { Object.assign(items(json, 'capabilities')[0] ?? {}, {
      offset: '0x042' }); })],
    ['/capabilities/0/origin', edited((json) => { Object.assign(items(json, 'capabilities')[0] ?? {}, {
      origin: 'x' }); })],
    ['/capabilities/0/backing/kind', edited((json) => { Object.assign(items(json, 'capabilities')[0] ?? {}, {
      backing: { kind: 'x' } }); })],
    ['/capabilities/1', edited((json) => { Object.assign(items(json, 'capabilities')[1] ?? {}, { id: '0x0011' }); })],
    ['/capabilities', edited((json) => { items(json, 'capabilities').pop(); })],
    ['/capabilities/1', edited((json) => { items(json, 'capabilities')[1] = items(json, 'capabilities')[0] ?? {}; })],
    ['/capabilities/0', edited((json) => { const [one, other, ...rest] = items(json, 'capabilities');
      json['capabilities'] = [other, one, ...rest]; })],
    ['/standardList/0', edited((json) => { (json['standardList'] as string[])[0] = '0x044'; })],
    ['/extendedList/3', edited((json) => { (json['extendedList'] as string[]).pop(); })],
    ['/ranges/1/offset', edited((json) => { Object.assign(items(json, 'ranges')[1] ?? {}, { offset: '0x005' }); })],
    ['/ranges', edited((json) => { items(json, 'ranges').pop(); })],
    ['/ranges/0/compare', edited((json) => { Object.assign(items(json, 'ranges')[0] ?? {}, { compare: 'same' }); })],
    ['/rows/1/offset', edited((json) => { items(json, 'rows').splice(1, 0, items(json, 'rows')[0] ?? {}); })],
    ['/rows/0/bytes', edited((json) => { Object.assign(items(json, 'rows')[0] ?? {}, { bytes: '00 1' }); })],
    ['/planner', edited((json) => { json['planner'] = '\ud800'; })],
  ])('with the JSON Pointer %p', (pointer, given) => {
    expect(readLayoutDocument(given)).toMatchObject({ ok: false, refusal: { kind: 'layout-malformed', pointer } });
  });
});

describe('any byte', () => {
  const recorded = { position: 9, recordedAt: '2026-11-23T17:00:00.000Z' };
  const events = {
    decided: { type: 'LayoutDecided', stream: 'device-vm/nic', revision: 1, ...recorded },
    observed: { type: 'FunctionObserved', stream: 'function-host/0000:03:00.0', revision: 1, ...recorded },
  };

  it('of a synthetic capability tells its rule, its reason, what was considered, and the event', () => {
    const told = explainByte(document, 0x139, events);
    expect(told).toMatchObject({ value: 0x14, owner: 'PASID', capability: { offset: 0x134 },
      range: { provenance: { by: 'planner', rule: 'gap' } } });
    expect(told?.explanation).toEqual([
      '0x139 reads 0x14', 'it is byte 5 of PASID (synthetic) at 0x134..0x13b',
      expect.stringMatching(/^0x134..0x139 come from planner, rule gap: pasid: lowest place proven free/) as string,
      'a write is dropped; after a migration it has to be the same',
      'put there by LayoutDecided, device-vm/nic@1, position 9, recorded 2026-11-23T17:00:00.000Z']);
  });

  it('of the hardware was put there by the observation, of a link by the decision', () => {
    expect(explainByte(document, 0x104, events)).toMatchObject({ owner: 'AER', event: events.observed });
    expect(explainByte(document, 0x10, events)).toMatchObject({ owner: 'header', event: events.observed });
    expect(explainByte(document, 0x103, events)).toMatchObject({ owner: 'AER', event: events.decided,
      range: { compare: 'identical', write: 'dropped', provenance: { by: 'planner', rule: 'link' } } });
    expect(explainByte(document, 0x104)?.event).toBeNull();
  });

  it('tells an owner, whatever the offset', () => {
    for (let at = 0; at < 4096; at += 1) expect(explainByte(document, at)?.explanation.length).toBeGreaterThan(3);
    expect(explainByte(document, 0x164)?.explanation[2]).toContain(reason);
    expect([explainByte(document, 0x10)?.owner, explainByte(document, 0x701)?.owner]).toEqual(['header', 'gap']);
    expect([explainByte(document, 4096), explainByte(document, -1), explainByte(document, 0.5)])
      .toEqual([undefined, undefined, undefined]);
  });
});
