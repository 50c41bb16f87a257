import { buildConfigSpace, type ConfigSpaceParts, express, u16, u32 } from '@cadastre/config-space/testing';
import { guestView } from './guest-view.js';
import { type HostFacts } from './host-facts.js';
import { type Knobs } from './knobs.js';
import { type Confidence, confidenceOf, type RuleName, rules } from './rules.js';
import { device, hostsOfAll, knobsOfAll, listed, pinned, predict, spacesOfAll, withPasid } from './testing.js';
import { vmmProfiles } from './vmm-profiles.js';

/** What the facts mark as derived or unverified as a whole; all others of theirs were read or observed. */
const marked: Readonly<Record<string, Confidence>> = { Q18: 'D', Q23: 'D', C18: 'D', C19: 'U', O5: 'U' };
const rank = { V: 0, D: 1, U: 2 } as const;

describe('how sure a rule is', () => {
  it('is what the mark of its fact says', () => {
    const facts = Object.keys(rules).filter((name) => /^[KQCOXLS]\d/.test(name)) as RuleName[];
    expect(facts.length).toBeGreaterThan(60);
    expect(facts.map((name) => [name, confidenceOf(name)])).toEqual(facts.map((name) => [name, marked[name] ?? 'V']));
    expect(Object.keys(marked).filter((name) => !Object.hasOwn(rules, name))).toEqual([]);
  });

  it('is carried by every finding, write and outcome that stands on it: never surer, at times less', () => {
    const seen = new Set<Confidence>();
    for (const { name } of vmmProfiles) {
      for (const parts of Object.values(device)) {
        const { findings, writeThrough, migration, outcome } = predict(parts, name, {}, withPasid);
        const told = [...findings, ...writeThrough, migration, outcome].flatMap((one) =>
          ('rule' in one && one.rule !== null ? [{ rule: one.rule, confidence: one.confidence }] : []));
        for (const { rule, confidence } of told) {
          seen.add(confidence);
          expect([name, rule, rank[confidence] >= rank[confidenceOf(rule)]]).toEqual([name, rule, true]);
        }
      }
    }
    expect([...seen].sort()).toEqual(['D', 'U', 'V']);
  });
});

const { powerManagement: pm, endpoint } = listed;
/** Functions that meet what is wrong, one each. */
const broken: readonly ConfigSpaceParts[] = [
  { headerType: 1 }, { vendorId: 0x8086, deviceId: 0x0b25 }, { standard: [{ id: 1, offset: 0x40, next: 0x40 }] },
  { standard: [{ id: 5, offset: 0x40, body: u16(0x0180) }, { id: 1, offset: 0x50 }] },
  { standard: [{ id: 5, offset: 0x40, body: u16(0x000e) }] },
  { standard: [{ id: 0x11, offset: 0x40, body: [0, 0, ...u32(0), ...u32(0)] }] },
  { standard: [express({ version: 1, portType: 9 }), { id: 0x0d, offset: 0x80 }], headerType: 0x80 },
  { standard: [express({ offset: 0x60, portType: 4 })] }, { standard: [express({ offset: 0x60, portType: 1 })] },
  { standard: [express({ offset: 0x60, version: 1 })] },
  { standard: [pm, endpoint], extended: [{ id: 1, offset: 0x100, next: 0x040 }] },
  { standard: [pm, endpoint],
    extended: [{ id: 1, offset: 0x100, next: 0x143 }, { id: 3, offset: 0x140, next: 0x183 }] },
  { standard: [pm, endpoint], extended: [{ id: 1, offset: 0x100 }, { id: 3, offset: 0x140, next: 0x100 }] },
  { standard: [pm, endpoint], extended: [{ id: 1, offset: 0x100 }, { id: 0x18, offset: 0xffc }] },
  { standard: [pm, endpoint], extended: [{ id: 1, offset: 0x100 }, { id: 0x18, offset: 0xff8 }] },
  { standard: [pm, endpoint],
    extended: [{ id: 0x0b, offset: 0x100, body: u32(0x08000000) }, { id: 3, offset: 0x140 }] },
  { standard: [pm, endpoint], extended: [{ id: 0x10, offset: 0x100 }] },
  { standard: [endpoint], extended: [{ id: 3, offset: 0x100 }, { id: 0x0b, offset: 0x10c, body: u32(0x01000000) }] },
  { standard: [endpoint], extended: [{ id: 3, offset: 0x140 }] },
  { vendorId: 0x10de, classCode: 0x030000, standard: [{ id: 5, offset: 0xcc }], bytes: { 0x10: u32(0xfe000000) } },
  { vendorId: 0x10de, classCode: 0x030000, standard: [pm] },
  { standard: [pm, { id: 9, offset: 0xf0, body: [0x10] }] },
];

const more: readonly (readonly [name: string, parts: ConfigSpaceParts, knobs: Knobs, host: HostFacts])[] = [
  ['qemu-11.1', { status: 0 }, {}, withPasid],
  ['qemu-11.1', device.d1, pinned('0x1ec'), withPasid],
  ['qemu-11.1', device.d1, { settings: { unheard: 'of' } }, withPasid],
  ['qemu-11.1', device.d1, {}, { ...withPasid, atsSupported: false }],
  ['qemu-11.1', { standard: [{ id: 0x11, offset: 0x40 }], bytes: { 0x10: u32(0xe001) } },
    { settings: { 'x-msix-relocation': 'bar0' } }, withPasid],
  ['qemu-11.1', { standard: [express({ offset: 0x60, portType: 1 })], extended: [{ id: 3, offset: 0x100 }] },
    { port: 'root-bus' }, withPasid],
  ['qemu-11.1', { ...device.d1, bytes: { 0x3d: [1] } }, {}, { ...withPasid, about: { role: 'vf' } }],
  ['qemu-11.1', { standard: [{ id: 1, offset: 0x40, body: u16(0xfe03) }] }, {}, withPasid],
  ['cloud-hypervisor-new', { standard: [pm, { ...endpoint, next: 0x40 }] }, {}, withPasid],
  ['cloud-hypervisor-new', { standard: [{ id: 0x11, offset: 0x40, body: [0, 0, ...u32(0x800), ...u32(0x900)] }] }, {},
    withPasid],
  ['libvfio-user', { standard: [endpoint], extended: [{ id: 3, offset: 0x100 },
    { id: 0x0b, offset: 0xf00, body: u32(0x10000000) }] }, {}, withPasid],
];

describe('every rule', () => {
  it('is carried by something of a prediction', () => {
    const carried = new Set<RuleName>();
    const take = (...rules: readonly (RuleName | null)[]): void => {
      for (const rule of rules) if (rule !== null) carried.add(rule);
    };
    for (const profile of vmmProfiles) {
      take(profile.migration.rule, ...profile.makesStandard.map(({ rule }) => rule),
        ...Object.values(profile.settings).map(({ rule }) => rule));
      for (const space of [...spacesOfAll, ...broken.map((parts) => buildConfigSpace(parts))]) {
        for (const host of hostsOfAll) {
          for (const knobs of knobsOfAll(profile)) {
            const { outcome, findings, ruled, unpredicted, writeThrough } = guestView(space, profile, knobs, host);
            if (outcome.kind !== 'starts') take(outcome.rule);
            for (const { rule } of [...findings, ...ruled, ...unpredicted, ...writeThrough]) carried.add(rule);
          }
        }
      }
    }
    for (const [name, parts, knobs, host] of more) {
      const { outcome, findings, ruled } = predict(parts, name, knobs, host);
      if (outcome.kind !== 'starts') take(outcome.rule);
      for (const { rule } of [...findings, ...ruled]) carried.add(rule);
    }
    const missing = (Object.keys(rules) as RuleName[]).filter((rule) => !carried.has(rule));
    // What cannot be set is told by the answer about knobs.
    expect(missing).toEqual(['no synthesis']);
  });
});
