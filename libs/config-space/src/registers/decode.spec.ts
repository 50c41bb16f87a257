import { type CapabilitySpace } from '../catalogue/capability-row.js';
import { findCapability, survey } from '../survey.js';
import {
  buildConfigSpace, type ConfigSpaceParts, express, type ExpressParts, u16, u32,
} from '../testing/build-config-space.js';
import { decode, type DecodedField } from './decode.js';

function decoded(parts: ConfigSpaceParts, space: CapabilitySpace, id: number): readonly DecodedField[] {
  const surveyed = survey(buildConfigSpace(parts));
  const capability = findCapability(surveyed, space, id);
  if (capability === undefined) throw new Error('the test built no such capability');
  return decode(surveyed.space, capability);
}

const extended = (id: number, body: readonly number[], pcie: ExpressParts = {}): readonly DecodedField[] =>
  decoded({ standard: [express(pcie)], extended: [{ id, offset: 0x100, body }] }, 'extended', id);
const standard = (id: number, body: readonly number[]): readonly DecodedField[] =>
  decoded({ standard: [{ id, offset: 0x40, body }] }, 'standard', id);

/** `register.field` to value. */
const values = (fields: readonly DecodedField[]): Record<string, number> =>
  Object.fromEntries(fields.map(({ register, name, value }) => [`${register}.${name}`, value]));
/** Those that are not zero. */
const set = (fields: readonly DecodedField[]): Record<string, number> =>
  Object.fromEntries(Object.entries(values(fields)).filter(([, value]) => value !== 0));
const registersOf = (fields: readonly DecodedField[]): readonly string[] =>
  [...new Set(fields.map(({ register }) => register))];

describe('a decoded field', () => {
  it('tells register, place, bits, access and value', () => {
    expect(extended(0x1b, [...u16(0x1406), ...u16(0x0001)])).toEqual([
      ['pasidCapability', 'executeSupported', 0x104, 1, 1, 'RO', 1],
      ['pasidCapability', 'privilegedSupported', 0x104, 2, 1, 'RO', 1],
      ['pasidCapability', 'maxPasidWidth', 0x104, 8, 5, 'RO', 20],
      ['pasidControl', 'enable', 0x106, 0, 1, 'RW', 1],
      ['pasidControl', 'executeEnable', 0x106, 1, 1, 'RW', 0],
      ['pasidControl', 'privilegedEnable', 0x106, 2, 1, 'RW', 0],
    ].map(([register, name, at, lsb, width, access, value]) =>
      ({ register, name, at, bytes: 2, lsb, width, access, value, confirmed: true })));
  });

  it('may fill a register of 32 bits, unsigned', () => {
    expect(set(extended(0x03, [...u32(0x89abcdef), ...u32(0xffffffff)])))
      .toEqual({ 'serialNumber.lowerDword': 0x89abcdef, 'serialNumber.upperDword': 0xffffffff });
  });

  it('says when no source confirms it', () => {
    const fields = extended(0x0f, u32(0x80650060));
    expect(fields.filter(({ confirmed }) => !confirmed).map(({ name }) => name))
      .toEqual(['globalInvalidateSupported', 'relaxedOrderingSupported']);
    expect(set(fields)).toEqual({
      'atsCapability.pageAlignedRequest': 1, 'atsCapability.globalInvalidateSupported': 1,
      'atsControl.smallestTranslationUnit': 5, 'atsControl.enable': 1,
    });
  });

  it('is none for an ID without a table', () => {
    expect(extended(0x1a, u32(0xffffffff))).toEqual([]);
  });

  it('is left out behind the end of its capability, where the bytes are a neighbour\'s', () => {
    const fields = decoded({
      standard: [express()], extended: [{ id: 0x1e, version: 2, offset: 0x100 }, { id: 0x03, offset: 0x10c }],
    }, 'extended', 0x1e);
    expect(registersOf(fields)).toEqual(['l1PmSubstatesCapabilities', 'l1PmSubstatesControl1']);
  });

  it('is left out where it was not captured', () => {
    const fields = decoded({ standard: [express()], extended: [{ id: 0x1b, offset: 0x100 }], capturedBytes: 0x106 },
      'extended', 0x1b);
    expect(registersOf(fields)).toEqual(['pasidCapability']);
  });
});

describe('registers that only some functions have', () => {
  it('of MSI move with the address size and the masks', () => {
    const at = (control: number): Record<string, number> => Object.fromEntries(
      standard(0x05, u16(control)).map(({ name, at: offset }) => [name, offset - 0x40]));
    expect(at(0x0000)).toMatchObject({ messageAddress: 4, messageData: 8 });
    expect(at(0x0000)).not.toHaveProperty('messageUpperAddress');
    expect(at(0x0080)).toMatchObject({ messageAddress: 4, messageUpperAddress: 8, messageData: 0xc });
    expect(at(0x0100)).toMatchObject({ messageData: 8, maskBits: 0xc, pendingBits: 0x10 });
    expect(at(0x0180)).toMatchObject({ messageUpperAddress: 8, messageData: 0xc, maskBits: 0x10, pendingBits: 0x14 });
  });

  it('of PCI Express follow version and port type', () => {
    const of = (parts: ExpressParts): readonly string[] =>
      registersOf(decoded({ standard: [express(parts)] }, 'standard', 0x10));
    const device = ['pciExpressCapabilities', 'deviceCapabilities', 'deviceControl', 'deviceStatus'];
    const link = ['linkCapabilities', 'linkControl', 'linkStatus'];
    const slot = ['slotCapabilities', 'slotControl', 'slotStatus'];
    const root = ['rootControl', 'rootCapabilities', 'rootStatus'];
    const second = ['deviceCapabilities2', 'deviceControl2'];
    const link2 = ['linkCapabilities2', 'linkControl2', 'linkStatus2'];
    expect(of({ version: 1 })).toEqual([...device, ...link]);
    expect(of({ version: 1, portType: 9 })).toEqual(device);
    expect(of({})).toEqual([...device, ...link, ...second, ...link2]);
    expect(of({ portType: 9 })).toEqual([...device, ...second]);
    expect(of({ portType: 4, slot: true })).toEqual([...device, ...link, ...slot, ...root, ...second, ...link2]);
    expect(of({ portType: 4 })).toEqual([...device, ...link, ...root, ...second, ...link2]);
    expect(of({ portType: 6, slot: true })).toEqual([...device, ...link, ...slot, ...second, ...link2]);
  });

  it('of AER follow the port type and TLP prefixes', () => {
    const rootRegisters = ['rootErrorCommand', 'rootErrorStatus', 'errorSourceIdentification'];
    const of = (parts: ExpressParts): readonly string[] => registersOf(extended(0x01, [], parts)).slice(10);
    expect(of({})).toEqual([]);
    expect(of({ portType: 4 })).toEqual(rootRegisters);
    expect(of({ endEndTlpPrefix: true })).toEqual([0, 1, 2, 3].map((index) => `tlpPrefixLog[${index}]`));
  });

  it('of DPC are those of a root port where the extensions are', () => {
    expect(registersOf(extended(0x1d, u16(0x0000)))).toHaveLength(4);
    expect(registersOf(extended(0x1d, u16(0x0520))).slice(4)).toEqual([
      'rpPioStatus', 'rpPioMask', 'rpPioSeverity', 'rpPioSysError', 'rpPioException',
      ...[0, 1, 2, 3, 4].map((index) => `rpPioLog[${index}]`),
    ]);
  });
});

describe('repeated registers', () => {
  it('of Resizable BAR are one pair for each BAR', () => {
    const body = [...u32(0x00007000), ...u32(0x00000840), ...u32(0x0000fff0), ...u32(0x00000102)];
    expect(set(extended(0x15, body))).toEqual({
      'bar[0].supportedSizes': 0x700, 'bar[0].numberOfResizableBars': 2, 'bar[0].barSize': 8,
      'bar[1].supportedSizes': 0xfff, 'bar[1].barIndex': 2, 'bar[1].barSize': 1,
    });
  });

  it('of Virtual Channel are one set for each channel', () => {
    const body = [...u32(1), ...u32(0), ...u32(0), ...u32(0), ...u32(0x800000ff), ...u32(0), ...u32(0),
      ...u32(0x01000000)];
    expect(set(extended(0x02, body))).toEqual({
      'port.extendedVcCount': 1,
      'vcResource[0].tcVcMap': 0xff, 'vcResource[0].vcEnable': 1, 'vcResource[1].vcId': 1,
    });
  });

  it('of IDE are streams with their own address blocks', () => {
    const zeros = u32(0);
    const stream = (blocks: number, control: number): readonly number[] =>
      [...u32(blocks), ...u32(control), ...zeros, ...u32(0x00ffff00), ...u32(0x02000101)];
    const body = [
      ...u32(0x00010003), ...zeros, ...u32(0x01000001), ...u32(0x80000002),
      ...stream(1, 0x00400001), ...u32(0xfff00101), ...u32(0xffffffff), ...u32(1), ...stream(0, 0),
    ];
    expect(set(extended(0x30, body))).toEqual({
      'ideCapability.linkIdeSupported': 1, 'ideCapability.selectiveIdeSupported': 1,
        'ideCapability.selectiveStreams': 1,
      'linkStream[0].enable': 1, 'linkStream[0].streamId': 1, 'linkStream[0].streamState': 2,
      'linkStream[0].receivedIntegrityCheckFail': 1,
      'selectiveStream[0].addressAssociationBlocks': 1, 'selectiveStream[0].enable': 1,
      'selectiveStream[0].defaultStream': 1, 'selectiveStream[0].ridLimit': 0xffff, 'selectiveStream[0].ridValid': 1,
      'selectiveStream[0].ridBase': 1, 'selectiveStream[0].ridSegmentBase': 2,
      'selectiveStream[0].addressAssociation[0].valid': 1,
        'selectiveStream[0].addressAssociation[0].memoryBaseLower': 1,
      'selectiveStream[0].addressAssociation[0].memoryLimitLower': 0xfff,
      'selectiveStream[0].addressAssociation[0].memoryLimitUpper': 0xffffffff,
      'selectiveStream[0].addressAssociation[0].memoryBaseUpper': 1,
      'selectiveStream[1].ridLimit': 0xffff, 'selectiveStream[1].ridValid': 1,
      'selectiveStream[1].ridBase': 1, 'selectiveStream[1].ridSegmentBase': 2,
    });
  });

  it('of ACS are one DWORD for each 32 egress bits', () => {
    expect(registersOf(extended(0x0d, u16(0x2120)))).toEqual([
      'acsCapability', 'acsControl', 'egressControlVector[0]', 'egressControlVector[1]',
    ]);
    expect(registersOf(extended(0x0d, u16(0x001f)))).toEqual(['acsCapability', 'acsControl']);
  });

  it('of TPH and DPA are their tables', () => {
    expect(registersOf(extended(0x17, u32(0x00010200))).slice(2)).toEqual(['stEntry[0]', 'stEntry[1]']);
    expect(registersOf(extended(0x16, u32(0x00000001))).slice(1)).toEqual(['substate[0]', 'substate[1]']);
  });

  it('end with the capability, whatever their count says', () => {
    const fields = decoded({
      standard: [express()],
      extended: [{ id: 0x15, offset: 0xff0, body: [...u32(0x10), ...u32(0xc0)] }],
    }, 'extended', 0x15);
    expect(fields.map(({ register, name, at }) => [register, name, at]).at(-1))
      .toEqual(['bar[1]', 'supportedSizes', 0xffc]);
  });
});

describe('typical values', () => {
  it('of SR-IOV', () => {
    expect(set(extended(0x10, [
      ...u32(0x00000002), ...u16(0x0019), ...u16(0), ...u16(8), ...u16(8), ...u16(2), ...u16(0), ...u16(0x80),
        ...u16(2),
      ...u16(0), ...u16(0x10ca), ...u32(0x553), ...u32(1), ...u32(0xc), ...u32(1),
    ]))).toEqual({
      'sriovCapabilities.ariCapableHierarchyPreserved': 1, 'sriovControl.vfEnable': 1,
      'sriovControl.vfMemorySpaceEnable': 1, 'sriovControl.ariCapableHierarchy': 1,
      'virtualFunctions.initialVfs': 8, 'virtualFunctions.totalVfs': 8, 'virtualFunctions.numVfs': 2,
      'virtualFunctions.firstVfOffset': 0x80, 'virtualFunctions.vfStride': 2, 'virtualFunctions.vfDeviceId': 0x10ca,
      'virtualFunctions.supportedPageSizes': 0x553, 'virtualFunctions.systemPageSize': 1,
      'vfBar[0].value': 0xc, 'vfBar[1].value': 1,
    });
  });

  it('of PRI, which must come up stopped', () => {
    expect(set(extended(0x13, [...u16(1), ...u16(0x8100), ...u32(0x100), ...u32(0x20)]))).toEqual({
      'pageRequestControl.enable': 1, 'pageRequestStatus.stopped': 1, 'pageRequestStatus.prgResponsePasidRequired': 1,
      'outstandingPageRequests.outstandingPageRequestCapacity': 0x100,
      'outstandingPageRequests.outstandingPageRequestAllocation': 0x20,
    });
  });

  it('of PM, MSI-X, DVSEC, VSEC, PTM, DOE, Device 3 and LTR', () => {
    expect(set(standard(0x01, [...u16(0xf803), ...u16(0x8108)]))).toEqual({
      'powerManagementCapabilities.version': 3, 'powerManagementCapabilities.pmeSupport': 0x1f,
      'powerManagementControlStatus.noSoftReset': 1, 'powerManagementControlStatus.pmeEnable': 1,
      'powerManagementControlStatus.pmeStatus': 1,
    });
    expect(set(standard(0x11, [...u16(0x803f), ...u32(0x2003), ...u32(0x3003)]))).toEqual({
      'messageControl.tableSize': 0x3f, 'messageControl.enable': 1, 'tables.tableBir': 3, 'tables.tableOffset': 0x400,
      'tables.pbaBir': 3, 'tables.pbaOffset': 0x600,
    });
    expect(set(extended(0x23, [...u32(0x03c21e98), ...u16(7)]))).toEqual({
      'dvsecHeader.dvsecVendorId': 0x1e98, 'dvsecHeader.dvsecRevision': 2, 'dvsecHeader.dvsecLength': 0x3c,
      'dvsecHeader.dvsecId': 7,
    });
    expect(set(extended(0x0b, u32(0x01030042))))
      .toEqual({ 'vsecHeader.vsecId': 0x42, 'vsecHeader.vsecRevision': 3, 'vsecHeader.vsecLength': 0x10 });
    expect(set(extended(0x1f, [...u32(0x0403), ...u32(3)]))).toEqual({
      'ptmCapability.requesterCapable': 1, 'ptmCapability.responderCapable': 1,
      'ptmCapability.localClockGranularity': 4, 'ptmControl.enable': 1, 'ptmControl.rootSelect': 1,
    });
    expect(set(extended(0x2e, [...u32(0x3), ...u32(0x80000000), ...u32(0x80000001)]))).toEqual({
      'doeCapabilities.interruptSupported': 1, 'doeCapabilities.interruptMessageNumber': 1, 'doeControl.go': 1,
      'doeStatus.busy': 1, 'doeStatus.dataObjectReady': 1,
    });
    expect(set(extended(0x2f, [...u32(0x2), ...u32(0x4), ...u32(0x13)]))).toEqual({
      'deviceCapabilities3.fourteenBitTagCompleterSupported': 1, 'deviceControl3.fourteenBitTagRequesterEnable': 1,
      'deviceStatus3.initialLinkWidth': 3, 'deviceStatus3.remoteL0pSupported': 1,
    });
    expect(set(extended(0x18, u32(0x10031003)))).toEqual({
      'maxLatencies.maxSnoopLatencyValue': 3, 'maxLatencies.maxSnoopLatencyScale': 4,
      'maxLatencies.maxNoSnoopLatencyValue': 3, 'maxLatencies.maxNoSnoopLatencyScale': 4,
    });
  });
});
