import { survey } from '../survey.js';
import { buildConfigSpace, express, type ExpressParts, u16, u32 } from '../testing/build-config-space.js';
import { capabilityCatalogue } from './capability-catalogue.js';

interface Form {
  readonly version?: number;
  readonly headerType?: number;
  /** Null: the function has no PCI Express capability. */
  readonly express?: ExpressParts | null;
  readonly bytes?: Readonly<Record<number, readonly number[]>>;
}

/** Length in bytes, or 'opaque': up to the next start, whatever the registers say. */
type Expected = number | 'opaque';
type Case = readonly [name: string, id: number, form: string, body: readonly number[], expected: Expected,
  extra?: Form];

const zeros = (count: number): readonly number[] => Array.from({ length: count }, () => 0);
/** A body whose DWORD at +4 is this. */
const at4 = (value: number): readonly number[] => u32(value);

/** Bodies begin at +2. */
const standardCases: readonly Case[] = [
  ['NULL', 0x00, 'header only', [], 4],
  ['PM', 0x01, 'fixed', [0x03, 0xf8], 8],
  ['AGP', 0x02, 'fixed', [], 12],
  ['VPD', 0x03, 'fixed', [], 8],
  ['SLOTID', 0x04, 'fixed', [], 4],
  ['MSI', 0x05, '32-bit', u16(0x0000), 10],
  ['MSI', 0x05, '64-bit', u16(0x0080), 14],
  ['MSI', 0x05, '32-bit with masks', u16(0x0100), 20],
  ['MSI', 0x05, '64-bit with masks', u16(0x0180), 24],
  ['CHSWP', 0x06, 'fixed', [], 4],
  ['PCIX', 0x07, 'function, version 0', u16(0x0000), 8],
  ['PCIX', 0x07, 'function, version 1', u16(0x1000), 24],
  ['PCIX', 0x07, 'function, version 2', u16(0x2000), 24],
  ['PCIX', 0x07, 'bridge, version 0', u16(0x0000), 16, { headerType: 1 }],
  ['PCIX', 0x07, 'bridge with ECC registers', u16(0x1000), 'opaque', { headerType: 1 }],
  ['PCIX', 0x07, 'CardBus bridge', u16(0x0000), 'opaque', { headerType: 2 }],
  ['HT', 0x08, 'slave', u16(0x0000), 28],
  ['HT', 0x08, 'host', u16(0x2000), 24],
  ['HT', 0x08, 'MSI mapping, fixed', u16(0xa802), 4],
  ['HT', 0x08, 'MSI mapping, movable', u16(0xa800), 12],
  ['HT', 0x08, 'interrupts', u16(0x8000), 'opaque'],
  ['HT', 0x08, 'retry mode', u16(0xc000), 'opaque'],
  ['VNDR', 0x09, 'length 0', [0], 'opaque'],
  ['VNDR', 0x09, 'length 2, less than its own header', [2], 'opaque'],
  ['VNDR', 0x09, 'smallest', [3], 3],
  ['VNDR', 0x09, 'typical', [0x14], 0x14],
  ['VNDR', 0x09, 'largest that fits', [0x60], 0x60],
  ['DBG', 0x0a, 'fixed', [], 4],
  ['CCRC', 0x0b, 'unconfirmed', [], 'opaque'],
  ['SHPC', 0x0c, 'fixed', [], 8],
  ['SSVID', 0x0d, 'fixed', [], 8],
  ['AGP3', 0x0e, 'unconfirmed', [], 'opaque'],
  ['SECDEV', 0x0f, 'unconfirmed', [], 'opaque'],
  ...([
    ['version 0 counts as 1', 0x0000, 0x14], ['version 1 endpoint', 0x0001, 0x14],
    ['version 1 legacy endpoint', 0x0011, 0x14], ['version 1 root port', 0x0041, 0x24],
    ['version 1 root port with slot', 0x0141, 0x24], ['version 1 upstream port', 0x0051, 0x14],
    ['version 1 downstream port', 0x0061, 0x14], ['version 1 downstream port with slot', 0x0161, 0x1c],
    ['version 1 bridge to PCI', 0x0071, 0x14], ['version 1 RCiEP', 0x0091, 0x0c],
    ['version 1 event collector', 0x00a1, 0x24], ['version 2 endpoint', 0x0002, 0x3c],
    ['version 2 root port', 0x0142, 0x3c], ['version 2 RCiEP', 0x0092, 0x3c], ['a later version', 0x0003, 0x3c],
  ] as const).map(([form, flags, expected]): Case => ['EXP', 0x10, form, u16(flags), expected]),
  ['MSIX', 0x11, 'fixed', [], 12],
  ['SATA', 0x12, 'index and data in a BAR', [0, 0, ...at4(0x00000004)], 8],
  ['SATA', 0x12, 'index and data inline', [0, 0, ...at4(0x0000000f)], 16],
  ['AF', 0x13, 'fixed', [6, 3], 6],
  ['EA', 0x14, 'no entries', [0, 0], 4],
  ['EA', 0x14, 'no entries in a bridge', [0, 0], 8, { headerType: 1 }],
  ['EA', 0x14, 'entries of 3 and 5 DWORDs', [2, 0, ...u32(2), ...zeros(8), ...u32(4), ...zeros(16)], 4 + 12 + 20],
  ['EA', 0x14, 'a bridge with one entry of 3 DWORDs', [1, 0, ...zeros(4), ...u32(2)], 8 + 12, { headerType: 1 }],
  ['FPB', 0x15, 'unconfirmed', [], 'opaque'],
];

const ideSelective = (blocks: number): readonly number[] => [...u32(blocks), ...zeros(16 + 12 * blocks)];

/** Bodies begin at +4. */
const extendedCases: readonly Case[] = [
  ['NULL', 0x00, 'header only', [], 4, { version: 0 }],
  ['AER', 0x01, 'no PCI Express capability', [], 0x2c, { express: null }],
  ['AER', 0x01, 'endpoint', [], 0x2c],
  ['AER', 0x01, 'root port', [], 0x38, { express: { portType: 4 } }],
  ['AER', 0x01, 'event collector', [], 0x38, { express: { portType: 10 } }],
  ['AER', 0x01, 'downstream port has no root registers', [], 0x2c, { express: { portType: 6 } }],
  ['AER', 0x01, 'with TLP prefixes', [], 0x48, { express: { endEndTlpPrefix: true } }],
  ['AER', 0x01, 'DevCap2 does not exist in version 1', [], 0x2c,
    { express: { version: 1 }, bytes: { 0x64: u32(1 << 21) } }],
  ['AER', 0x01, 'with a prefix log', [...zeros(0x14), ...u32(1 << 11)], 0x48],
  ...([0x02, 0x08, 0x09] as const).flatMap((id): Case[] => {
    const name = { 0x02: 'VC', 0x08: 'MFVC', 0x09: 'VC9' }[id];
    const channel = (capability: number): readonly number[] => [...u32(capability), ...zeros(8)];
    return [
      [name, id, 'one channel', zeros(12), 0x1c],
      [name, id, 'eight channels', [...u32(7), ...zeros(8)], 0x10 + 8 * 0x0c],
      [name, id, 'VC arbitration, 32 phases', [...u32(0), ...u32(0x03000002), ...zeros(4)], 0x30 + 16],
      [name, id, 'VC arbitration, 128 phases', [...u32(0), ...u32(0x0400000e), ...zeros(4)], 0x40 + 64],
      [name, id, 'a VC table offset without phases counts nothing', [...u32(0), ...u32(0x04000001), ...zeros(4)], 0x1c],
      [name, id, 'port arbitration, 64 phases of 1 bit', [...zeros(12), ...channel(0x03000004)], 0x30 + 8],
      [name, id, 'port arbitration, 256 phases of 8 bits', [...u32(3 << 10), ...zeros(8), ...channel(0x04000020)],
        0x40 + 256],
      [name, id, 'port arbitration, time-based 128 phases of 4 bits',
        [...u32(2 << 10), ...zeros(8), ...channel(0x04000010)], 0x40 + 64],
      [name, id, 'a port table of the second channel',
        [...u32(1), ...zeros(8), ...channel(0), ...channel(0x06000002)], 0x60 + 4],
    ];
  }),
  ['DSN', 0x03, 'fixed', [], 12],
  ['PB', 0x04, 'fixed', [], 16],
  ['RCLD', 0x05, 'no entries', at4(0), 16],
  ['RCLD', 0x05, 'three entries', at4(0x0300), 64],
  ['RCILC', 0x06, 'unconfirmed', [], 'opaque'],
  ['RCEC', 0x07, 'version 1', [], 8],
  ['RCEC', 0x07, 'version 2 has bus numbers', [], 12, { version: 2 }],
  ['RCRB', 0x0a, 'unconfirmed', [], 'opaque'],
  ['VSEC', 0x0b, 'length 0', at4(0x00010001), 'opaque'],
  ['VSEC', 0x0b, 'length 4, less than its headers', at4(0x00410001), 'opaque'],
  ['VSEC', 0x0b, 'smallest', at4(0x00810001), 8],
  ['VSEC', 0x0b, 'not whole DWORDs', at4(0x00a10001), 10],
  ['VSEC', 0x0b, 'large', at4(0x80010001), 0x800],
  ['CAC', 0x0c, 'unknown', [], 'opaque'],
  ['ACS', 0x0d, 'no egress control', at4(0x0000ff1f), 8],
  ['ACS', 0x0d, 'egress vector of 1 bit', at4(0x00000120), 12],
  ['ACS', 0x0d, 'egress vector of 33 bits', at4(0x00002120), 16],
  ['ACS', 0x0d, 'egress vector of 256 bits, written as 0', at4(0x00000020), 8 + 32],
  ['ARI', 0x0e, 'fixed', [], 8],
  ['ATS', 0x0f, 'fixed', [], 8],
  ['SRIOV', 0x10, 'fixed', [], 0x40],
  ['MRIOV', 0x11, 'unknown', [], 'opaque'],
  ['MCAST', 0x12, 'endpoint', [], 0x28],
  ['MCAST', 0x12, 'no PCI Express capability', [], 0x28, { express: null }],
  ...[4, 5, 6, 7, 8].map((portType): Case =>
    ['MCAST', 0x12, `port type ${portType} has an overlay BAR`, [], 0x30, { express: { portType } }]),
  ['PRI', 0x13, 'fixed', [], 16],
  ['AMD14', 0x14, 'unknown', [], 'opaque'],
  ...([0x15, 0x24] as const).flatMap((id): Case[] => {
    const name = id === 0x15 ? 'REBAR' : 'VFREBAR';
    const bars = (count: number): readonly number[] => [...u32(0), ...u32(count << 5)];
    return [
      [name, id, 'one BAR', bars(1), 12], [name, id, 'six BARs', bars(6), 52],
      [name, id, 'no BAR', bars(0), 'opaque'], [name, id, 'seven BARs', bars(7), 'opaque'],
    ];
  }),
  ['DPA', 0x16, 'one substate', at4(0), 20],
  ['DPA', 0x16, 'four substates', at4(3), 20],
  ['DPA', 0x16, '32 substates', at4(31), 48],
  ['TPH', 0x17, 'no table', at4(0x00ff0000), 12],
  ['TPH', 0x17, 'table in MSI-X', at4(0x00ff0400), 12],
  ['TPH', 0x17, 'table of one entry here', at4(0x00000200), 16],
  ['TPH', 0x17, 'table of 8 entries here', at4(0x00070200), 28],
  ['TPH', 0x17, 'table of 1024 entries here', at4(0x03ff0200), 12 + 2048],
  ['LTR', 0x18, 'fixed', [], 8],
  ['SECPCI', 0x19, 'x1', [], 16],
  ['SECPCI', 0x19, 'x16', [], 44, { express: { lanes: 16 } }],
  ['SECPCI', 0x19, 'no lane count', [], 'opaque', { express: { lanes: 0 } }],
  ['SECPCI', 0x19, 'no PCI Express capability', [], 'opaque', { express: null }],
  ['PMUX', 0x1a, 'unknown', [], 'opaque'],
  ['PASID', 0x1b, 'fixed', [], 8],
  ['LNR', 0x1c, 'unconfirmed', [], 'opaque'],
  ['DPC', 0x1d, 'no root port extensions', at4(0x0000), 12],
  ['DPC', 0x1d, 'root port extensions, log of 4', at4(0x0420), 0x30],
  ['DPC', 0x1d, 'root port extensions, log of 9', at4(0x0920), 0x44],
  ['DPC', 0x1d, 'log of 0 is a firmware bug: 4', at4(0x0020), 0x30],
  ['L1SS', 0x1e, 'version 1', [], 0x10],
  ['L1SS', 0x1e, 'version 2 is unconfirmed', [], 'opaque', { version: 2 }],
  ['PTM', 0x1f, 'fixed', [], 12],
  ['MPHY', 0x20, 'unknown', [], 'opaque'],
  ['FRS', 0x21, 'unconfirmed', [], 'opaque'],
  ['RTR', 0x22, 'unconfirmed', [], 'opaque'],
  ['DVSEC', 0x23, 'length 0', at4(0x00011e98), 'opaque'],
  ['DVSEC', 0x23, 'length 8, less than its headers', at4(0x00811e98), 'opaque'],
  ['DVSEC', 0x23, 'smallest', at4(0x00a11e98), 10],
  ['DVSEC', 0x23, 'typical', at4(0x03c11e98), 0x3c],
  ['DLF', 0x25, 'fixed', [], 12],
  ...([[0x26, 'PL16', 0x20, 1], [0x27, 'LMR', 8, 4], [0x2a, 'PL32', 0x20, 1], [0x31, 'PL64', 0x10, 1]] as const)
    .flatMap(([id, name, base, each]): Case[] => [
      [name, id, 'x1', [], base + 4],
      [name, id, 'x16', [], base + 16 * each, { express: { lanes: 16 } }],
      [name, id, 'no lane count', [], 'opaque', { express: null }],
    ]),
  ['HID', 0x28, 'unconfirmed', [], 'opaque'],
  ['NPEM', 0x29, 'fixed', [], 16],
  ['AP', 0x2b, 'unconfirmed', [], 'opaque'],
  ['SFI', 0x2c, 'unconfirmed', [], 'opaque'],
  ['SF', 0x2d, 'unconfirmed', [], 'opaque'],
  ['DOE', 0x2e, 'fixed', [], 0x18],
  ['DEV3', 0x2f, 'fixed', [], 0x10],
  ['IDE', 0x30, 'neither link nor selective streams', at4(0), 12],
  ['IDE', 0x30, 'one link stream', at4(0x0001), 20],
  ['IDE', 0x30, 'eight link streams', at4(0xe001), 12 + 64],
  ['IDE', 0x30, 'one selective stream without blocks', [...at4(0x0002), ...zeros(4), ...ideSelective(0)], 12 + 20],
  ['IDE', 0x30, 'two link streams, selective streams of 1 and 3 blocks',
    [...at4(0x00012003), ...zeros(4), ...zeros(16), ...ideSelective(1), ...ideSelective(3)], 12 + 16 + 32 + 56],
  ['IDE', 0x30, 'streams that pass the space', at4(0x00ff0002), 'opaque'],
  ['FLITLOG', 0x32, 'unconfirmed', [], 'opaque'],
  ['FLITPERF', 0x33, 'unknown', [], 'opaque'],
  ['FLITERR', 0x34, 'fixed', [], 0x24],
  ['SVC', 0x35, 'unknown', [], 'opaque'],
  ['MRBL', 0x36, 'length 4, less than its header', at4(4), 'opaque'],
  ['MRBL', 0x36, 'two locators', at4(0x18), 0x18],
  ['NOPFLIT', 0x37, 'unknown', [], 'opaque'],
  ['SIOV', 0x38, 'unconfirmed', [], 'opaque'],
  ['PL128', 0x39, 'unconfirmed', [], 'opaque', { express: { lanes: 16 } }],
  ['CD', 0x3a, 'unknown', [], 'opaque'],
];

/** How far away the next capability is: opaque ones reach up to it. */
const room = { standard: 0x70, extended: 0xb00 };

function measured(space: 'standard' | 'extended', [, id, , body, , extra = {}]: Case) {
  const pcie = extra.express === null || (space === 'standard' && id === 0x10) ? [] : [express(extra.express)];
  const built = buildConfigSpace({
    headerType: extra.headerType ?? 0,
    bytes: extra.bytes ?? {},
    standard: space === 'standard'
      ? [{ id, offset: 0x80, body }, { id: 0x0a, offset: 0x80 + room.standard }] : pcie,
    extended: space === 'standard' ? [] : [
      { id: 0x03, offset: 0x100 }, { id, version: extra.version ?? 1, offset: 0x200, body },
      { id: 0x03, offset: 0x200 + room.extended },
    ],
  });
  const at = space === 'standard' ? 0x80 : 0x200;
  const found = survey(built).capabilities.find((one) => one.offset === at);
  return { name: found?.row.name, length: found?.length, opaque: found?.opaque };
}

describe.each([['standard', standardCases], ['extended', extendedCases]] as const)('lengths in the %s list', (space,
  cases) => {
  it.each(cases.map((one) => [one[0], one[2], one[4], one] as const))('%s, %s: %s', (name, _, expected, one) => {
    expect(measured(space, one)).toEqual(
      expected === 'opaque' ? { name, length: room[space], opaque: true } : { name, length: expected, opaque: false });
  });

  it('have a case for every row of the catalogue', () => {
    const ids = new Set(cases.map(([, id]) => id));
    expect(capabilityCatalogue[space].filter(({ id }) => !ids.has(id)).map(({ name }) => name)).toEqual([]);
  });

  it('are in a row at the index of its ID', () => {
    expect(capabilityCatalogue[space].map(({ id }) => id)).toEqual(capabilityCatalogue[space].map((_, index) => index));
  });
});

describe('a row marked unconfirmed', () => {
  it('is opaque, as is one without a known length, in every capture', () => {
    const guessed = [...capabilityCatalogue.standard, ...capabilityCatalogue.extended].filter(
      ({ length }) => length === null || (typeof length === 'object' && 'unconfirmed' in length));
    const opaqueIds = [...standardCases, ...extendedCases].filter(([, , , , expected]) => expected === 'opaque');
    expect(guessed.filter(({ name }) => !opaqueIds.some(([known]) => known === name))).toEqual([]);
  });
});

describe('a length that depends on bytes nobody captured', () => {
  it('is opaque: a bit that was not read is not a zero', () => {
    const space = buildConfigSpace({ standard: [{ id: 0x05, offset: 0xf0, body: u16(0x0180) }], capturedBytes: 0xf2 });
    expect(survey(space).capabilities).toMatchObject([{ id: 0x05, length: 0x10, opaque: true }]);
  });

  it('is told where its registers were captured, though the body was not', () => {
    const space = buildConfigSpace({ standard: [{ id: 0x05, offset: 0xe0, body: u16(0x0180) }], capturedBytes: 0xe4 });
    const { capabilities, findings } = survey(space);
    expect(capabilities).toMatchObject([{ id: 0x05, length: 24, opaque: false }]);
    expect(findings).toContainEqual({
      kind: 'capability-cut', space: 'standard', id: 0x05, offset: 0xe0, length: 24, capturedBytes: 0xe4,
    });
  });
});
