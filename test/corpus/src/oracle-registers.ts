import { expressLines } from './oracle-express.js';
import { messageNumber, type OracleLine } from './oracle-line.js';

const doubled = (value: number): number => 2 ** value;

const uncorrectable = (label: string, register: string): OracleLine => ({
  label,
  flags: {
    DLP: `${register}.dataLinkProtocolError`, SDES: `${register}.surpriseDownError`,
    TLP: `${register}.poisonedTlpReceived`, FCP: `${register}.flowControlProtocolError`,
    CmpltTO: `${register}.completionTimeout`, CmpltAbrt: `${register}.completerAbort`,
    UnxCmplt: `${register}.unexpectedCompletion`, RxOF: `${register}.receiverOverflow`,
    MalfTLP: `${register}.malformedTlp`, ECRC: `${register}.ecrcError`, UnsupReq: `${register}.unsupportedRequestError`,
    ACSViol: `${register}.acsViolation`, UncorrIntErr: `${register}.uncorrectableInternalError`,
    BlockedTLP: `${register}.mcBlockedTlp`, AtomicOpBlocked: `${register}.atomicOpEgressBlocked`,
    TLPBlockedErr: `${register}.tlpPrefixBlockedError`, PoisonTLPBlocked: `${register}.poisonedTlpEgressBlocked`,
    DMWrReqBlocked: `${register}.dmwrRequestEgressBlocked`, IDECheck: `${register}.ideCheckFailed`,
    MisIDETLP: `${register}.misroutedIdeTlp`, PCRC_CHECK: `${register}.pcrcCheckFailed`,
    TLPXlatBlocked: `${register}.tlpTranslationEgressBlocked`,
  },
});

const correctable = (label: string, register: string): OracleLine => ({
  label,
  flags: {
    RxErr: `${register}.receiverError`, BadTLP: `${register}.badTlp`, BadDLLP: `${register}.badDllp`,
    Rollover: `${register}.replayNumRollover`, Timeout: `${register}.replayTimerTimeout`,
    AdvNonFatalErr: `${register}.advisoryNonFatalError`, CorrIntErr: `${register}.correctedInternalError`,
    HeaderOF: `${register}.headerLogOverflow`,
  },
});

const acs = (label: string, register: string): OracleLine => ({
  label,
  flags: {
    SrcValid: `${register}.sourceValidation`, TransBlk: `${register}.translationBlocking`,
    ReqRedir: `${register}.p2pRequestRedirect`, CmpltRedir: `${register}.p2pCompletionRedirect`,
    UpstreamFwd: `${register}.upstreamForwarding`, EgressCtrl: `${register}.p2pEgressControl`,
    DirectTrans: `${register}.directTranslatedP2p`,
  },
});

const aer: readonly OracleLine[] = [
  uncorrectable('UESta', 'uncorrectableErrorStatus'), uncorrectable('UEMsk', 'uncorrectableErrorMask'),
  uncorrectable('UESvrt', 'uncorrectableErrorSeverity'),
  correctable('CESta', 'correctableErrorStatus'), correctable('CEMsk', 'correctableErrorMask'),
  {
    label: 'AERCap',
    flags: {
      ECRCGenCap: 'advancedErrorCapabilitiesAndControl.ecrcGenerationCapable',
      ECRCGenEn: 'advancedErrorCapabilitiesAndControl.ecrcGenerationEnable',
      ECRCChkCap: 'advancedErrorCapabilitiesAndControl.ecrcCheckCapable',
      ECRCChkEn: 'advancedErrorCapabilitiesAndControl.ecrcCheckEnable',
      MultHdrRecCap: 'advancedErrorCapabilitiesAndControl.multipleHeaderRecordingCapable',
      MultHdrRecEn: 'advancedErrorCapabilitiesAndControl.multipleHeaderRecordingEnable',
      TLPPfxPres: 'advancedErrorCapabilitiesAndControl.tlpPrefixLogPresent',
      HdrLogCap: 'advancedErrorCapabilitiesAndControl.completionTimeoutPrefixHeaderLogCapable',
    },
    numbers: [{
      pattern: /First Error Pointer: ([0-9a-f]+)/, field: 'advancedErrorCapabilitiesAndControl.firstErrorPointer',
        base: 16,
    }],
  },
  {
    label: 'HeaderLog',
    numbers: [0, 1, 2, 3].map((index) => ({
      pattern: new RegExp(`^(?:[0-9a-f]{8} ){${index}}([0-9a-f]{8})`), field: `headerLog[${index}].dword`,
        base: 16 as const,
    })),
  },
  {
    label: 'RootCmd',
    flags: {
      CERptEn: 'rootErrorCommand.correctableErrorReportingEnable',
      NFERptEn: 'rootErrorCommand.nonFatalErrorReportingEnable', FERptEn: 'rootErrorCommand.fatalErrorReportingEnable',
    },
  },
  {
    label: 'RootSta',
    flags: {
      CERcvd: 'rootErrorStatus.errCorReceived', MultCERcvd: 'rootErrorStatus.multipleErrCorReceived',
      UERcvd: 'rootErrorStatus.errFatalNonFatalReceived',
        MultUERcvd: 'rootErrorStatus.multipleErrFatalNonFatalReceived',
      FirstFatal: 'rootErrorStatus.firstUncorrectableFatal',
        NonFatalMsg: 'rootErrorStatus.nonFatalErrorMessagesReceived',
      FatalMsg: 'rootErrorStatus.fatalErrorMessagesReceived',
    },
    numbers: [messageNumber('rootErrorStatus.advancedErrorInterruptMessageNumber')],
  },
  {
    label: 'ErrorSrc',
    numbers: [
      { pattern: /ERR_COR: ([0-9a-f]{4})/, field: 'errorSourceIdentification.errCorSource', base: 16 },
      { pattern: /ERR_FATAL\/NONFATAL: ([0-9a-f]{4})/, field: 'errorSourceIdentification.errFatalNonFatalSource',
        base: 16 },
    ],
  },
];

const sriov: readonly OracleLine[] = [
  {
    label: 'IOVCap',
    flags: {
      Migration: 'sriovCapabilities.vfMigrationCapable',
        '10BitTagReq': 'sriovCapabilities.vfTenBitTagRequesterSupported',
    },
    numbers: [{
      pattern: /(?:IntMsgNum|Interrupt Message Number:) ([0-9a-f]+)/,
      field: 'sriovCapabilities.vfMigrationInterruptMessageNumber',
    }],
  },
  {
    label: 'IOVCtl',
    flags: {
      Enable: 'sriovControl.vfEnable', Migration: 'sriovControl.vfMigrationEnable',
      Interrupt: 'sriovControl.vfMigrationInterruptEnable', MSE: 'sriovControl.vfMemorySpaceEnable',
      ARIHierarchy: 'sriovControl.ariCapableHierarchy', '10BitTagReq': 'sriovControl.vfTenBitTagRequesterEnable',
    },
  },
  { label: 'IOVSta', flags: { Migration: 'sriovStatus.vfMigrationStatus' } },
  {
    label: 'Initial VFs',
    numbers: [
      { pattern: /^(\d+)/, field: 'virtualFunctions.initialVfs' },
      { pattern: /Total VFs: (\d+)/, field: 'virtualFunctions.totalVfs' },
      { pattern: /Number of VFs: (\d+)/, field: 'virtualFunctions.numVfs' },
      { pattern: /Dependency Link: ([0-9a-f]+)/, field: 'virtualFunctions.functionDependencyLink', base: 16 },
    ],
  },
  {
    label: 'VF offset',
    numbers: [
      { pattern: /^(\d+)/, field: 'virtualFunctions.firstVfOffset' },
      { pattern: /stride: (\d+)/, field: 'virtualFunctions.vfStride' },
      { pattern: /Device ID: ([0-9a-f]+)/, field: 'virtualFunctions.vfDeviceId', base: 16 },
    ],
  },
  {
    label: 'Supported Page Size',
    numbers: [
      { pattern: /^([0-9a-f]+)/, field: 'virtualFunctions.supportedPageSizes', base: 16 },
      { pattern: /System Page Size: ([0-9a-f]+)/, field: 'virtualFunctions.systemPageSize', base: 16 },
    ],
  },
  {
    label: 'VF Migration',
    numbers: [
      { pattern: /offset: ([0-9a-f]+)/, field: 'vfMigrationStateArray.migrationStateOffset', base: 16,
        shown: (value) => value * 8 },
      { pattern: /BIR: ([0-9a-f]+)/, field: 'vfMigrationStateArray.migrationStateBir' },
    ],
  },
];

const translation = {
  pasid: [
    {
      label: 'PASIDCap', flags: { Exec: 'pasidCapability.executeSupported',
        Priv: 'pasidCapability.privilegedSupported' },
      numbers: [{ pattern: /Max PASID Width: ([0-9a-f]+)/, field: 'pasidCapability.maxPasidWidth', base: 16 }],
    },
    {
      label: 'PASIDCtl', flags: {
        Enable: 'pasidControl.enable', Exec: 'pasidControl.executeEnable', Priv: 'pasidControl.privilegedEnable',
      },
    },
  ],
  ats: [
    {
      label: 'ATSCap',
      numbers: [{ pattern: /Queue Depth: ([0-9a-f]+)/, field: 'atsCapability.invalidateQueueDepth', base: 16 }],
    },
    {
      label: 'ATSCtl', flags: { Enable: 'atsControl.enable' },
      numbers: [{ pattern: /Translation Unit: ([0-9a-f]+)/, field: 'atsControl.smallestTranslationUnit', base: 16 }],
    },
  ],
  pri: [
    { label: 'PRICtl', flags: { Enable: 'pageRequestControl.enable', Reset: 'pageRequestControl.reset' } },
    {
      label: 'PRISta',
      flags: {
        RF: 'pageRequestStatus.responseFailure', UPRGI: 'pageRequestStatus.unexpectedPageRequestGroupIndex',
        Stopped: 'pageRequestStatus.stopped', PASID: 'pageRequestStatus.prgResponsePasidRequired',
      },
    },
    {
      label: 'Page Request Capacity',
      numbers: [
        { pattern: /^([0-9a-f]+)/, field: 'outstandingPageRequests.outstandingPageRequestCapacity', base: 16 },
        { pattern: /Allocation: ([0-9a-f]+)/, field: 'outstandingPageRequests.outstandingPageRequestAllocation',
          base: 16 },
      ],
    },
  ],
} as const satisfies Record<string, readonly OracleLine[]>;

const msi: readonly OracleLine[] = [
  {
    label: 'title',
    flags: {
      Enable: 'messageControl.enable', Maskable: 'messageControl.perVectorMaskingCapable',
      '64bit': 'messageControl.address64Capable',
    },
    numbers: [
      { pattern: /Count=(\d+)\//, field: 'messageControl.multipleMessageEnable', shown: doubled },
      { pattern: /Count=\d+\/(\d+)/, field: 'messageControl.multipleMessageCapable', shown: doubled },
    ],
  },
  {
    label: 'Address',
    numbers: [
      { pattern: /^(?:[0-9a-f]{8})?([0-9a-f]{8})/, field: 'messageAddress.messageAddress', base: 16,
        shown: (value) => value * 4 },
      { pattern: /^([0-9a-f]{8})[0-9a-f]{8}/, field: 'messageUpperAddress.messageUpperAddress', base: 16 },
      { pattern: /Data: ([0-9a-f]+)/, field: 'messageData.messageData', base: 16 },
    ],
  },
  {
    label: 'Masking',
    numbers: [
      { pattern: /^([0-9a-f]+)/, field: 'vectorMasks.maskBits', base: 16 },
      { pattern: /Pending: ([0-9a-f]+)/, field: 'vectorMasks.pendingBits', base: 16 },
    ],
  },
];

const msix: readonly OracleLine[] = [
  {
    label: 'title', flags: { Enable: 'messageControl.enable', Masked: 'messageControl.functionMask' },
    numbers: [{ pattern: /Count=(\d+)/, field: 'messageControl.tableSize', shown: (value) => value + 1 }],
  },
  {
    label: 'Vector table',
    numbers: [
      { pattern: /BAR=(\d)/, field: 'tables.tableBir' },
      { pattern: /offset=([0-9a-f]+)/, field: 'tables.tableOffset', base: 16, shown: (value) => value * 8 },
    ],
  },
  {
    label: 'PBA',
    numbers: [
      { pattern: /BAR=(\d)/, field: 'tables.pbaBir' },
      { pattern: /offset=([0-9a-f]+)/, field: 'tables.pbaOffset', base: 16, shown: (value) => value * 8 },
    ],
  },
];

const powerManagement: readonly OracleLine[] = [
  { label: 'title', numbers: [{ pattern: /version (\d)/, field: 'powerManagementCapabilities.version' }] },
  {
    label: 'Flags',
    flags: {
      PMEClk: 'powerManagementCapabilities.pmeClock', DSI: 'powerManagementCapabilities.deviceSpecificInitialization',
      // Both come again among the PME states, behind these.
      D1: 'powerManagementCapabilities.d1Support', D2: 'powerManagementCapabilities.d2Support',
    },
  },
  {
    label: 'Status',
    flags: { NoSoftRst: 'powerManagementControlStatus.noSoftReset',
      'PME-Enable': 'powerManagementControlStatus.pmeEnable' },
    numbers: [
      { pattern: /^D(\d)/, field: 'powerManagementControlStatus.powerState' },
      { pattern: /DSel=(\d+)/, field: 'powerManagementControlStatus.dataSelect' },
      { pattern: /DScale=(\d)/, field: 'powerManagementControlStatus.dataScale' },
    ],
  },
];

const dpc: readonly OracleLine[] = [
  {
    label: 'DpcCap',
    flags: {
      RPExt: 'dpcCapability.rpExtensionsForDpc', PoisonedTLP: 'dpcCapability.poisonedTlpEgressBlockingSupported',
      SwTrigger: 'dpcCapability.softwareTriggeringSupported',
        DL_ActiveErr: 'dpcCapability.dlActiveErrCorSignalingSupported',
    },
    numbers: [{ pattern: /RP PIO Log (\d+)/, field: 'dpcCapability.rpPioLogSize' }],
  },
  {
    label: 'DpcCtl',
    flags: {
      Cmpl: 'dpcControl.completionControl', INT: 'dpcControl.interruptEnable', ErrCor: 'dpcControl.errCorEnable',
      PoisonedTLP: 'dpcControl.poisonedTlpEgressBlockingEnable', SwTrigger: 'dpcControl.softwareTrigger',
      DL_ActiveErr: 'dpcControl.dlActiveErrCorEnable',
    },
    numbers: [{ pattern: /Trigger:(\d)/, field: 'dpcControl.triggerEnable' }],
  },
  {
    label: 'DpcSta',
    flags: { Trigger: 'dpcStatus.triggerStatus', INT: 'dpcStatus.interruptStatus', RPBusy: 'dpcStatus.rpBusy' },
    numbers: [{ pattern: /RP PIO ErrPtr:([0-9a-f]+)/, field: 'dpcStatus.rpPioFirstErrorPointer', base: 16 }],
  },
  { label: 'Source', numbers: [{ pattern: /^([0-9a-f]{4})/, field: 'dpcErrorSource.errorSourceId', base: 16 }] },
];

const l1Substates: readonly OracleLine[] = [
  {
    label: 'L1SubCap',
    flags: {
      'PCI-PM_L1.2': 'l1PmSubstatesCapabilities.pciPmL12Supported',
        'PCI-PM_L1.1': 'l1PmSubstatesCapabilities.pciPmL11Supported',
      'ASPM_L1.2': 'l1PmSubstatesCapabilities.aspmL12Supported',
        'ASPM_L1.1': 'l1PmSubstatesCapabilities.aspmL11Supported',
      L1_PM_Substates: 'l1PmSubstatesCapabilities.l1PmSubstatesSupported',
    },
    numbers: [{ pattern: /RestoreTime=(\d+)us/, field: 'l1PmSubstatesCapabilities.portCommonModeRestoreTime' }],
  },
  {
    label: 'L1SubCtl1',
    flags: {
      'PCI-PM_L1.2': 'l1PmSubstatesControl1.pciPmL12Enable', 'PCI-PM_L1.1': 'l1PmSubstatesControl1.pciPmL11Enable',
      'ASPM_L1.2': 'l1PmSubstatesControl1.aspmL12Enable', 'ASPM_L1.1': 'l1PmSubstatesControl1.aspmL11Enable',
    },
    numbers: [{ pattern: /T_CommonMode=(\d+)us/, field: 'l1PmSubstatesControl1.commonModeRestoreTime' }],
  },
];

const device3: readonly OracleLine[] = [
  {
    label: 'DevCap3',
    flags: {
      'DMWr Request Routing': 'deviceCapabilities3.dmwrRequestRoutingSupported',
      '14-Bit Tag Completer': 'deviceCapabilities3.fourteenBitTagCompleterSupported',
      '14-Bit Tag Requester': 'deviceCapabilities3.fourteenBitTagRequesterSupported',
        L0p: 'deviceCapabilities3.l0pSupported',
      'UIO Mem RdWr Completer': 'deviceCapabilities3.uioMemoryCompleterSupported',
      'UIO Mem RdWr Requester': 'deviceCapabilities3.uioMemoryRequesterSupported',
    },
  },
  {
    label: 'DevCtl3',
    flags: {
      'DMWr Requester': 'deviceControl3.dmwrRequesterEnable',
        'DMWr Egress Blocking': 'deviceControl3.dmwrEgressBlocking',
      '14-Bit Tag Requester': 'deviceControl3.fourteenBitTagRequesterEnable', L0p: 'deviceControl3.l0pEnable',
      'UIO Mem RdWr Requester': 'deviceControl3.uioMemoryRequesterEnable',
    },
  },
  {
    label: 'DevSta3',
    flags: { 'Segment Captured': 'deviceStatus3.segmentCaptured', 'Remote L0p': 'deviceStatus3.remoteL0pSupported' },
  },
];

const ide: readonly OracleLine[] = [{
  label: 'IDECap',
  flags: {
    FlowThru: 'ideCapability.flowThroughSupported', PartHdr: 'ideCapability.partialHeaderEncryptionSupported',
    Aggr: 'ideCapability.aggregationSupported', PCPC: 'ideCapability.pcrcSupported',
      IDE_KM: 'ideCapability.ideKmSupported',
    SelCfg: 'ideCapability.selectiveForConfigurationRequestsSupported',
      TeeLim: 'ideCapability.teeLimitedStreamSupported',
    XT: 'ideCapability.xtSupported',
  },
  numbers: [
    { pattern: /TCs=(\d)/, field: 'ideCapability.linkTrafficClasses', shown: (value) => value + 1 },
    { pattern: /Sel=(\d)/, field: 'ideCapability.selectiveStreams', shown: (value) => value + 1 },
  ],
}];

const small = {
  ptm: [
    {
      label: 'PTMCap',
      flags: {
        Requester: 'ptmCapability.requesterCapable', Responder: 'ptmCapability.responderCapable',
        Root: 'ptmCapability.rootCapable',
      },
    },
    { label: 'PTMControl', flags: { Enabled: 'ptmControl.enable', RootSelected: 'ptmControl.rootSelect' } },
  ],
  doe: [
    { label: 'DOECap', flags: { IntSup: 'doeCapabilities.interruptSupported' } },
    { label: 'DOECtl', flags: { IntEn: 'doeControl.interruptEnable' } },
    {
      label: 'DOESta',
      flags: {
        Busy: 'doeStatus.busy', IntSta: 'doeStatus.interruptStatus', Error: 'doeStatus.error',
        ObjectReady: 'doeStatus.dataObjectReady',
      },
    },
  ],
  serialNumber: [{
    label: 'title',
    numbers: [
      { pattern: /Number ([0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2})/, field: 'serialNumber.upperDword',
        base: 16 },
      { pattern: /Number (?:[0-9a-f]{2}-){4}([0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2})/,
        field: 'serialNumber.lowerDword', base: 16 },
    ],
  }],
  dvsec: [{
    label: 'title',
    numbers: [
      { pattern: /Vendor=([0-9a-f]{4})/, field: 'dvsecHeader.dvsecVendorId', base: 16 },
      { pattern: /ID=([0-9a-f]{4})/, field: 'dvsecHeader.dvsecId', base: 16 },
      { pattern: /Rev=(\d+)/, field: 'dvsecHeader.dvsecRevision' },
      { pattern: /Len=(\d+)/, field: 'dvsecHeader.dvsecLength' },
    ],
  }],
  vsec: [{
    label: 'title',
    numbers: [
      { pattern: /ID=([0-9a-f]{4})/, field: 'vsecHeader.vsecId', base: 16 },
      { pattern: /Rev=(\d+)/, field: 'vsecHeader.vsecRevision' },
      { pattern: /Len=([0-9a-f]{3})/, field: 'vsecHeader.vsecLength', base: 16 },
    ],
  }],
  vendor: [{
    label: 'title', numbers: [{ pattern: /Len=([0-9a-f]{2})/, field: 'vendorSpecific.capabilityLength', base: 16 }],
  }],
} as const satisfies Record<string, readonly OracleLine[]>;

/** What to compare for each capability ID. */
export const oracleRegisters: Readonly<Record<'standard' | 'extended', Readonly<Record<number,
  readonly OracleLine[]>>>> = {
  standard: { 0x01: powerManagement, 0x05: msi, 0x09: small.vendor, 0x10: expressLines, 0x11: msix },
  extended: {
    0x01: aer, 0x03: small.serialNumber, 0x0b: small.vsec, 0x0d: [acs('ACSCap', 'acsCapability'), acs('ACSCtl',
      'acsControl')],
    0x0f: translation.ats, 0x10: sriov, 0x13: translation.pri, 0x1b: translation.pasid, 0x1d: dpc, 0x1e: l1Substates,
    0x1f: small.ptm, 0x23: small.dvsec, 0x2e: small.doe, 0x2f: device3, 0x30: ide,
  },
};
