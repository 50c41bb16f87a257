import { messageNumber, type OracleLine } from './oracle-line.js';

const payload = (value: number): number => 128 << value;
/** Speeds are printed in GT/s. */
const speeds: readonly number[] = [0, 2.5, 5, 8, 16, 32, 64];
const speed = (value: number): number => speeds[value] ?? NaN;
/** A target speed hard-wired to 0 belongs to a port of 2.5 GT/s alone. */
const lowestSpeedAtLeast = (value: number): number => speed(Math.max(value, 1));

/** The PCI Express capability as `lspci -vvv` prints it. */
export const expressLines: readonly OracleLine[] = [
  {
    label: 'title', flags: { Slot: 'pciExpressCapabilities.slotImplemented' },
    numbers: [
      { pattern: /^Express \(v(\d+)\)/, field: 'pciExpressCapabilities.capabilityVersion' },
      messageNumber('pciExpressCapabilities.interruptMessageNumber'),
    ],
  },
  {
    label: 'DevCap',
    flags: {
      ExtTag: 'deviceCapabilities.extendedTagFieldSupported', RBE: 'deviceCapabilities.roleBasedErrorReporting',
      AttnBtn: 'deviceCapabilities.attentionButtonPresent', AttnInd: 'deviceCapabilities.attentionIndicatorPresent',
      PwrInd: 'deviceCapabilities.powerIndicatorPresent', FLReset: 'deviceCapabilities.functionLevelResetCapability',
      'TEE-IO': 'deviceCapabilities.teeIoSupported',
    },
    numbers: [
      { pattern: /MaxPayload (\d+) bytes/, field: 'deviceCapabilities.maxPayloadSizeSupported', shown: payload },
      { pattern: /PhantFunc (\d+)/, field: 'deviceCapabilities.phantomFunctionsSupported',
        shown: (value) => 2 ** value - 1 },
    ],
  },
  {
    label: 'DevCtl',
    flags: {
      CorrErr: 'deviceControl.correctableErrorReportingEnable',
        NonFatalErr: 'deviceControl.nonFatalErrorReportingEnable',
      FatalErr: 'deviceControl.fatalErrorReportingEnable', UnsupReq: 'deviceControl.unsupportedRequestReportingEnable',
      RlxdOrd: 'deviceControl.enableRelaxedOrdering', ExtTag: 'deviceControl.extendedTagFieldEnable',
      PhantFunc: 'deviceControl.phantomFunctionsEnable', AuxPwr: 'deviceControl.auxPowerPmEnable',
      NoSnoop: 'deviceControl.enableNoSnoop', FLReset: 'deviceControl.initiateFunctionLevelReset',
      BrConfRtry: 'deviceControl.initiateFunctionLevelReset',
    },
    numbers: [
      { pattern: /MaxPayload (\d+) bytes/, field: 'deviceControl.maxPayloadSize', shown: payload },
      { pattern: /MaxReadReq (\d+) bytes/, field: 'deviceControl.maxReadRequestSize', shown: payload },
    ],
  },
  {
    label: 'DevSta',
    flags: {
      CorrErr: 'deviceStatus.correctableErrorDetected', NonFatalErr: 'deviceStatus.nonFatalErrorDetected',
      FatalErr: 'deviceStatus.fatalErrorDetected', UnsupReq: 'deviceStatus.unsupportedRequestDetected',
      AuxPwr: 'deviceStatus.auxPowerDetected', TransPend: 'deviceStatus.transactionsPending',
    },
  },
  {
    label: 'LnkCap',
    flags: {
      ClockPM: 'linkCapabilities.clockPowerManagement', Surprise: 'linkCapabilities.surpriseDownErrorReportingCapable',
      LLActRep: 'linkCapabilities.dataLinkLayerLinkActiveReportingCapable',
      BwNot: 'linkCapabilities.linkBandwidthNotificationCapability',
      ASPMOptComp: 'linkCapabilities.aspmOptionalityCompliance',
    },
    numbers: [
      { pattern: /Port #(\d+)/, field: 'linkCapabilities.portNumber' },
      { pattern: /Speed ([\d.]+)GT/, field: 'linkCapabilities.maxLinkSpeed', shown: speed },
      { pattern: /Width x(\d+)/, field: 'linkCapabilities.maximumLinkWidth' },
    ],
  },
  {
    label: 'LnkCtl',
    flags: {
      LnkDisable: 'linkControl.linkDisable', Disabled: 'linkControl.linkDisable',
      CommClk: 'linkControl.commonClockConfiguration', ExtSynch: 'linkControl.extendedSynch',
      ClockPM: 'linkControl.enableClockPowerManagement', AutWidDis: 'linkControl.hardwareAutonomousWidthDisable',
      BWInt: 'linkControl.linkBandwidthManagementInterruptEnable',
      AutBWInt: 'linkControl.linkAutonomousBandwidthInterruptEnable', FltModeDis: 'linkControl.flitModeDisable',
    },
    numbers: [
      { pattern: /RCB (\d+) bytes/, field: 'linkControl.readCompletionBoundary', shown: (value) => 64 << value },
    ],
  },
  {
    label: 'LnkSta',
    flags: {
      TrErr: 'linkStatus.trainingError', Train: 'linkStatus.linkTraining', SlotClk: 'linkStatus.slotClockConfiguration',
      DLActive: 'linkStatus.dataLinkLayerLinkActive', BWMgmt: 'linkStatus.linkBandwidthManagementStatus',
      ABWMgmt: 'linkStatus.linkAutonomousBandwidthStatus',
    },
    numbers: [
      { pattern: /Speed ([\d.]+)GT/, field: 'linkStatus.currentLinkSpeed', shown: speed },
      { pattern: /Width x(\d+)/, field: 'linkStatus.negotiatedLinkWidth' },
    ],
  },
  {
    label: 'SltCap',
    flags: {
      AttnBtn: 'slotCapabilities.attentionButtonPresent', PwrCtrl: 'slotCapabilities.powerControllerPresent',
      MRL: 'slotCapabilities.mrlSensorPresent', AttnInd: 'slotCapabilities.attentionIndicatorPresent',
      PwrInd: 'slotCapabilities.powerIndicatorPresent', HotPlug: 'slotCapabilities.hotPlugCapable',
      Surprise: 'slotCapabilities.hotPlugSurprise', Interlock: 'slotCapabilities.electromechanicalInterlockPresent',
      NoCompl: 'slotCapabilities.noCommandCompletedSupport',
    },
    numbers: [{ pattern: /Slot #(\d+)/, field: 'slotCapabilities.physicalSlotNumber' }],
  },
  {
    label: 'SltCtl',
    flags: {
      AttnBtn: 'slotControl.attentionButtonPressedEnable', PwrFlt: 'slotControl.powerFaultDetectedEnable',
      MRL: 'slotControl.mrlSensorChangedEnable', PresDet: 'slotControl.presenceDetectChangedEnable',
      CmdCplt: 'slotControl.commandCompletedInterruptEnable', HPIrq: 'slotControl.hotPlugInterruptEnable',
      LinkChg: 'slotControl.dataLinkLayerStateChangedEnable', Power: 'slotControl.powerControllerControl',
      Interlock: 'slotControl.electromechanicalInterlockControl',
    },
  },
  {
    label: 'SltSta',
    flags: {
      'Status: AttnBtn': 'slotStatus.attentionButtonPressed', PowerFlt: 'slotStatus.powerFaultDetected',
      CmdCplt: 'slotStatus.commandCompleted', Interlock: 'slotStatus.electromechanicalInterlockStatus',
      'Changed: MRL': 'slotStatus.mrlSensorChanged', LinkState: 'slotStatus.dataLinkLayerStateChanged',
    },
    numbers: [],
  },
  { label: 'RootCap', flags: { CRSVisible: 'rootCapabilities.crsSoftwareVisibility' } },
  {
    label: 'RootCtl',
    flags: {
      ErrCorrectable: 'rootControl.systemErrorOnCorrectableErrorEnable',
      'ErrNon-Fatal': 'rootControl.systemErrorOnNonFatalErrorEnable',
      ErrFatal: 'rootControl.systemErrorOnFatalErrorEnable', PMEIntEna: 'rootControl.pmeInterruptEnable',
      CRSVisible: 'rootControl.crsSoftwareVisibilityEnable',
    },
  },
  {
    label: 'RootSta',
    flags: { PMEStatus: 'rootStatus.pmeStatus', PMEPending: 'rootStatus.pmePending' },
    numbers: [{ pattern: /PME ReqID ([0-9a-f]+)/, field: 'rootStatus.pmeRequesterId', base: 16 }],
  },
  {
    label: 'DevCap2',
    flags: {
      TimeoutDis: 'deviceCapabilities2.completionTimeoutDisableSupported',
        ARIFwd: 'deviceCapabilities2.ariForwardingSupported',
      NROPrPrP: 'deviceCapabilities2.noRoEnabledPrPrPassing', LTR: 'deviceCapabilities2.ltrMechanismSupported',
      '10BitTagComp': 'deviceCapabilities2.tenBitTagCompleterSupported',
      '10BitTagReq': 'deviceCapabilities2.tenBitTagRequesterSupported',
      ExtFmt: 'deviceCapabilities2.extendedFmtFieldSupported',
      EETLPPrefix: 'deviceCapabilities2.endEndTlpPrefixSupported',
      EmergencyPowerReductionInit: 'deviceCapabilities2.emergencyPowerReductionInitializationRequired',
      FRS: 'deviceCapabilities2.frsSupported', Routing: 'deviceCapabilities2.atomicOpRoutingSupported',
      '32bit': 'deviceCapabilities2.atomicOpCompleter32Supported',
      '64bit': 'deviceCapabilities2.atomicOpCompleter64Supported',
      '128bitCAS': 'deviceCapabilities2.casCompleter128Supported',
    },
    numbers: [{
      pattern: /MaxEETLPPrefixes (\d)/, field: 'deviceCapabilities2.maxEndEndTlpPrefixes',
      shown: (value) => (value === 0 ? 4 : value),
    }],
  },
  {
    label: 'DevCtl2',
    flags: {
      TimeoutDis: 'deviceControl2.completionTimeoutDisable', ARIFwd: 'deviceControl2.ariForwardingEnable',
      ReqEn: 'deviceControl2.atomicOpRequesterEnable', EgressBlck: 'deviceControl2.atomicOpEgressBlocking',
      IDOReq: 'deviceControl2.idoRequestEnable', IDOCompl: 'deviceControl2.idoCompletionEnable',
      LTR: 'deviceControl2.ltrMechanismEnable',
      EmergencyPowerReductionReq: 'deviceControl2.emergencyPowerReductionRequest',
      '10BitTagReq': 'deviceControl2.tenBitTagRequesterEnable',
        EETLPPrefixBlk: 'deviceControl2.endEndTlpPrefixBlocking',
    },
  },
  {
    label: 'LnkCap2',
    flags: {
      Crosslink: 'linkCapabilities2.crosslinkSupported', Retimer: 'linkCapabilities2.retimerPresenceDetectSupported',
      '2Retimers': 'linkCapabilities2.twoRetimersPresenceDetectSupported', DRS: 'linkCapabilities2.drsSupported',
    },
  },
  {
    label: 'LnkCtl2',
    flags: {
      EnterCompliance: 'linkControl2.enterCompliance', SpeedDis: 'linkControl2.hardwareAutonomousSpeedDisable',
      EnterModifiedCompliance: 'linkControl2.enterModifiedCompliance', ComplianceSOS: 'linkControl2.complianceSos',
    },
    numbers: [{ pattern: /Target Link Speed: ([\d.]+)GT/, field: 'linkControl2.targetLinkSpeed',
      shown: lowestSpeedAtLeast }],
  },
  {
    label: 'LnkSta2',
    flags: {
      EqualizationComplete: 'linkStatus2.equalization8GtComplete',
      EqualizationPhase1: 'linkStatus2.equalization8GtPhase1Successful',
      EqualizationPhase2: 'linkStatus2.equalization8GtPhase2Successful',
      EqualizationPhase3: 'linkStatus2.equalization8GtPhase3Successful',
      LinkEqualizationRequest: 'linkStatus2.linkEqualizationRequest8Gt', Retimer: 'linkStatus2.retimerPresenceDetected',
      '2Retimers': 'linkStatus2.twoRetimersPresenceDetected', FltMode: 'linkStatus2.flitModeStatus',
    },
  },
];
