import { bits, choose, type LengthTerm } from '../catalogue/length-term.js';
import { type Field, type RegisterBlock } from './field.js';

/** PCIe Base Specification, "PCI Express Capabilities Register". */
const expressCapabilities = {
  capabilityVersion:      [0x02, 2, 0, 4, 'RO'],
  devicePortType:         [0x02, 2, 4, 4, 'RO'],
  slotImplemented:        [0x02, 2, 8, 1, 'HwInit'],
  interruptMessageNumber: [0x02, 2, 9, 5, 'RO'],
} as const satisfies Record<string, Field>;

/** "Device Capabilities Register". */
const deviceCapabilities = {
  maxPayloadSizeSupported:       [0x04, 4, 0, 3, 'RO'],   // 128 << value
  phantomFunctionsSupported:     [0x04, 4, 3, 2, 'RO'],
  extendedTagFieldSupported:     [0x04, 4, 5, 1, 'RO'],
  endpointL0sAcceptableLatency:  [0x04, 4, 6, 3, 'RO'],
  endpointL1AcceptableLatency:   [0x04, 4, 9, 3, 'RO'],
  attentionButtonPresent:        [0x04, 4, 12, 1, 'RO'],  // undefined from version 1.1 on
  attentionIndicatorPresent:     [0x04, 4, 13, 1, 'RO'],
  powerIndicatorPresent:         [0x04, 4, 14, 1, 'RO'],
  roleBasedErrorReporting:       [0x04, 4, 15, 1, 'RO'],
  capturedSlotPowerLimitValue:   [0x04, 4, 18, 8, 'RO'],
  capturedSlotPowerLimitScale:   [0x04, 4, 26, 2, 'RO'],
  functionLevelResetCapability:  [0x04, 4, 28, 1, 'RO'],
  teeIoSupported:                [0x04, 4, 30, 1, 'HwInit'],
} as const satisfies Record<string, Field>;

/** "Device Control Register". */
const deviceControl = {
  correctableErrorReportingEnable:    [0x08, 2, 0, 1, 'RW'],
  nonFatalErrorReportingEnable:       [0x08, 2, 1, 1, 'RW'],
  fatalErrorReportingEnable:          [0x08, 2, 2, 1, 'RW'],
  unsupportedRequestReportingEnable:  [0x08, 2, 3, 1, 'RW'],
  enableRelaxedOrdering:              [0x08, 2, 4, 1, 'RW'],
  maxPayloadSize:                     [0x08, 2, 5, 3, 'RW'],
  extendedTagFieldEnable:             [0x08, 2, 8, 1, 'RW'],
  phantomFunctionsEnable:             [0x08, 2, 9, 1, 'RW'],
  auxPowerPmEnable:                   [0x08, 2, 10, 1, 'RWS'],
  enableNoSnoop:                      [0x08, 2, 11, 1, 'RW'],
  maxReadRequestSize:                 [0x08, 2, 12, 3, 'RW'],
  initiateFunctionLevelReset:         [0x08, 2, 15, 1, 'RW'],
} as const satisfies Record<string, Field>;

/** "Device Status Register". */
const deviceStatus = {
  correctableErrorDetected:         [0x0a, 2, 0, 1, 'RW1C'],
  nonFatalErrorDetected:            [0x0a, 2, 1, 1, 'RW1C'],
  fatalErrorDetected:               [0x0a, 2, 2, 1, 'RW1C'],
  unsupportedRequestDetected:       [0x0a, 2, 3, 1, 'RW1C'],
  auxPowerDetected:                 [0x0a, 2, 4, 1, 'RO'],
  transactionsPending:              [0x0a, 2, 5, 1, 'RO'],
  emergencyPowerReductionDetected:  [0x0a, 2, 6, 1, 'RW1C'],
} as const satisfies Record<string, Field>;

/** "Link Capabilities Register". */
const linkCapabilities = {
  maxLinkSpeed:                            [0x0c, 4, 0, 4, 'RO'],
  maximumLinkWidth:                        [0x0c, 4, 4, 6, 'RO'],
  aspmSupport:                             [0x0c, 4, 10, 2, 'RO'],
  l0sExitLatency:                          [0x0c, 4, 12, 3, 'RO'],
  l1ExitLatency:                           [0x0c, 4, 15, 3, 'RO'],
  clockPowerManagement:                    [0x0c, 4, 18, 1, 'RO'],
  surpriseDownErrorReportingCapable:       [0x0c, 4, 19, 1, 'RO'],
  dataLinkLayerLinkActiveReportingCapable: [0x0c, 4, 20, 1, 'RO'],
  linkBandwidthNotificationCapability:     [0x0c, 4, 21, 1, 'RO'],
  aspmOptionalityCompliance:               [0x0c, 4, 22, 1, 'HwInit'],
  portNumber:                              [0x0c, 4, 24, 8, 'HwInit'],
} as const satisfies Record<string, Field>;

/** "Link Control Register". */
const linkControl = {
  aspmControl:                             [0x10, 2, 0, 2, 'RW'],
  readCompletionBoundary:                  [0x10, 2, 3, 1, 'RW'],
  linkDisable:                             [0x10, 2, 4, 1, 'RW'],
  retrainLink:                             [0x10, 2, 5, 1, 'RW'],
  commonClockConfiguration:                [0x10, 2, 6, 1, 'RW'],
  extendedSynch:                           [0x10, 2, 7, 1, 'RW'],
  enableClockPowerManagement:              [0x10, 2, 8, 1, 'RW'],
  hardwareAutonomousWidthDisable:          [0x10, 2, 9, 1, 'RW'],
  linkBandwidthManagementInterruptEnable:  [0x10, 2, 10, 1, 'RW'],
  linkAutonomousBandwidthInterruptEnable:  [0x10, 2, 11, 1, 'RW'],
  flitModeDisable:                         [0x10, 2, 13, 1, 'RW'],
  drsSignalingControl:                     [0x10, 2, 14, 2, 'RW'],
} as const satisfies Record<string, Field>;

/** "Link Status Register". */
const linkStatus = {
  currentLinkSpeed:               [0x12, 2, 0, 4, 'RO'],
  negotiatedLinkWidth:            [0x12, 2, 4, 6, 'RO'],
  trainingError:                  [0x12, 2, 10, 1, 'RO'],   // undefined from version 1.1 on
  linkTraining:                   [0x12, 2, 11, 1, 'RO'],
  slotClockConfiguration:         [0x12, 2, 12, 1, 'HwInit'],
  dataLinkLayerLinkActive:        [0x12, 2, 13, 1, 'RO'],
  linkBandwidthManagementStatus:  [0x12, 2, 14, 1, 'RW1C'],
  linkAutonomousBandwidthStatus:  [0x12, 2, 15, 1, 'RW1C'],
} as const satisfies Record<string, Field>;

/** "Slot Capabilities Register". */
const slotCapabilities = {
  attentionButtonPresent:            [0x14, 4, 0, 1, 'HwInit'],
  powerControllerPresent:            [0x14, 4, 1, 1, 'HwInit'],
  mrlSensorPresent:                  [0x14, 4, 2, 1, 'HwInit'],
  attentionIndicatorPresent:         [0x14, 4, 3, 1, 'HwInit'],
  powerIndicatorPresent:             [0x14, 4, 4, 1, 'HwInit'],
  hotPlugSurprise:                   [0x14, 4, 5, 1, 'HwInit'],
  hotPlugCapable:                    [0x14, 4, 6, 1, 'HwInit'],
  slotPowerLimitValue:               [0x14, 4, 7, 8, 'HwInit'],
  slotPowerLimitScale:               [0x14, 4, 15, 2, 'HwInit'],
  electromechanicalInterlockPresent: [0x14, 4, 17, 1, 'HwInit'],
  noCommandCompletedSupport:         [0x14, 4, 18, 1, 'HwInit'],
  physicalSlotNumber:                [0x14, 4, 19, 13, 'HwInit'],
} as const satisfies Record<string, Field>;

/** "Slot Control Register". */
const slotControl = {
  attentionButtonPressedEnable:        [0x18, 2, 0, 1, 'RW'],
  powerFaultDetectedEnable:            [0x18, 2, 1, 1, 'RW'],
  mrlSensorChangedEnable:              [0x18, 2, 2, 1, 'RW'],
  presenceDetectChangedEnable:         [0x18, 2, 3, 1, 'RW'],
  commandCompletedInterruptEnable:     [0x18, 2, 4, 1, 'RW'],
  hotPlugInterruptEnable:              [0x18, 2, 5, 1, 'RW'],
  attentionIndicatorControl:           [0x18, 2, 6, 2, 'RW'],
  powerIndicatorControl:               [0x18, 2, 8, 2, 'RW'],
  powerControllerControl:              [0x18, 2, 10, 1, 'RW'],
  electromechanicalInterlockControl:   [0x18, 2, 11, 1, 'RW'],
  dataLinkLayerStateChangedEnable:     [0x18, 2, 12, 1, 'RW'],
  autoSlotPowerLimitDisable:           [0x18, 2, 13, 1, 'RW'],
} as const satisfies Record<string, Field>;

/** "Slot Status Register". */
const slotStatus = {
  attentionButtonPressed:           [0x1a, 2, 0, 1, 'RW1C'],
  powerFaultDetected:               [0x1a, 2, 1, 1, 'RW1C'],
  mrlSensorChanged:                 [0x1a, 2, 2, 1, 'RW1C'],
  presenceDetectChanged:            [0x1a, 2, 3, 1, 'RW1C'],
  commandCompleted:                 [0x1a, 2, 4, 1, 'RW1C'],
  mrlSensorState:                   [0x1a, 2, 5, 1, 'RO'],
  presenceDetectState:              [0x1a, 2, 6, 1, 'RO'],
  electromechanicalInterlockStatus: [0x1a, 2, 7, 1, 'RO'],
  dataLinkLayerStateChanged:        [0x1a, 2, 8, 1, 'RW1C'],
} as const satisfies Record<string, Field>;

/** "Root Control Register", "Root Capabilities Register", "Root Status Register". */
const rootControl = {
  systemErrorOnCorrectableErrorEnable: [0x1c, 2, 0, 1, 'RW'],
  systemErrorOnNonFatalErrorEnable:    [0x1c, 2, 1, 1, 'RW'],
  systemErrorOnFatalErrorEnable:       [0x1c, 2, 2, 1, 'RW'],
  pmeInterruptEnable:                  [0x1c, 2, 3, 1, 'RW'],
  crsSoftwareVisibilityEnable:         [0x1c, 2, 4, 1, 'RW'],
} as const satisfies Record<string, Field>;

const rootCapabilities = {
  crsSoftwareVisibility: [0x1e, 2, 0, 1, 'RO'],
} as const satisfies Record<string, Field>;

const rootStatus = {
  pmeRequesterId: [0x20, 4, 0, 16, 'RO'],
  pmeStatus:      [0x20, 4, 16, 1, 'RW1C'],
  pmePending:     [0x20, 4, 17, 1, 'RO'],
} as const satisfies Record<string, Field>;

/** "Device Capabilities 2 Register". */
const deviceCapabilities2 = {
  completionTimeoutRangesSupported:   [0x24, 4, 0, 4, 'HwInit'],
  completionTimeoutDisableSupported:  [0x24, 4, 4, 1, 'RO'],
  ariForwardingSupported:             [0x24, 4, 5, 1, 'RO'],
  atomicOpRoutingSupported:           [0x24, 4, 6, 1, 'RO'],
  atomicOpCompleter32Supported:       [0x24, 4, 7, 1, 'RO'],
  atomicOpCompleter64Supported:       [0x24, 4, 8, 1, 'RO'],
  casCompleter128Supported:           [0x24, 4, 9, 1, 'RO'],
  noRoEnabledPrPrPassing:             [0x24, 4, 10, 1, 'HwInit'],
  ltrMechanismSupported:              [0x24, 4, 11, 1, 'RO'],
  tphCompleterSupported:              [0x24, 4, 12, 2, 'RO'],
  tenBitTagCompleterSupported:        [0x24, 4, 16, 1, 'HwInit'],
  tenBitTagRequesterSupported:        [0x24, 4, 17, 1, 'HwInit'],
  obffSupported:                      [0x24, 4, 18, 2, 'HwInit'],
  extendedFmtFieldSupported:          [0x24, 4, 20, 1, 'RO'],
  endEndTlpPrefixSupported:           [0x24, 4, 21, 1, 'HwInit'],
  maxEndEndTlpPrefixes:               [0x24, 4, 22, 2, 'HwInit'],   // 0 is 4
  emergencyPowerReductionSupported:   [0x24, 4, 24, 2, 'HwInit'],
  emergencyPowerReductionInitializationRequired: [0x24, 4, 26, 1, 'HwInit'],
  frsSupported:                       [0x24, 4, 31, 1, 'HwInit'],
} as const satisfies Record<string, Field>;

/** "Device Control 2 Register"; Device Status 2 has no fields. */
const deviceControl2 = {
  completionTimeoutValue:         [0x28, 2, 0, 4, 'RW'],
  completionTimeoutDisable:       [0x28, 2, 4, 1, 'RW'],
  ariForwardingEnable:            [0x28, 2, 5, 1, 'RW'],
  atomicOpRequesterEnable:        [0x28, 2, 6, 1, 'RW'],
  atomicOpEgressBlocking:         [0x28, 2, 7, 1, 'RW'],
  idoRequestEnable:               [0x28, 2, 8, 1, 'RW'],
  idoCompletionEnable:            [0x28, 2, 9, 1, 'RW'],
  ltrMechanismEnable:             [0x28, 2, 10, 1, 'RW'],
  emergencyPowerReductionRequest: [0x28, 2, 11, 1, 'RW'],
  tenBitTagRequesterEnable:       [0x28, 2, 12, 1, 'RW'],
  obffEnable:                     [0x28, 2, 13, 2, 'RW'],
  endEndTlpPrefixBlocking:        [0x28, 2, 15, 1, 'RW'],
} as const satisfies Record<string, Field>;

/** "Link Capabilities 2 Register". */
const linkCapabilities2 = {
  supportedLinkSpeedsVector:        [0x2c, 4, 1, 7, 'HwInit'],
  crosslinkSupported:               [0x2c, 4, 8, 1, 'RO'],
  retimerPresenceDetectSupported:   [0x2c, 4, 23, 1, 'HwInit'],
  twoRetimersPresenceDetectSupported: [0x2c, 4, 24, 1, 'HwInit'],
  drsSupported:                     [0x2c, 4, 31, 1, 'HwInit'],
} as const satisfies Record<string, Field>;

/** "Link Control 2 Register". */
const linkControl2 = {
  targetLinkSpeed:                [0x30, 2, 0, 4, 'RWS'],
  enterCompliance:                [0x30, 2, 4, 1, 'RWS'],
  hardwareAutonomousSpeedDisable: [0x30, 2, 5, 1, 'RWS'],
  selectableDeEmphasis:           [0x30, 2, 6, 1, 'HwInit'],
  transmitMargin:                 [0x30, 2, 7, 3, 'RWS'],
  enterModifiedCompliance:        [0x30, 2, 10, 1, 'RWS'],
  complianceSos:                  [0x30, 2, 11, 1, 'RWS'],
  compliancePresetDeEmphasis:     [0x30, 2, 12, 4, 'RWS'],
} as const satisfies Record<string, Field>;

/** "Link Status 2 Register". */
const linkStatus2 = {
  currentDeEmphasisLevel:        [0x32, 2, 0, 1, 'RO'],
  equalization8GtComplete:       [0x32, 2, 1, 1, 'ROS'],
  equalization8GtPhase1Successful: [0x32, 2, 2, 1, 'ROS'],
  equalization8GtPhase2Successful: [0x32, 2, 3, 1, 'ROS'],
  equalization8GtPhase3Successful: [0x32, 2, 4, 1, 'ROS'],
  linkEqualizationRequest8Gt:    [0x32, 2, 5, 1, 'RW1CS'],
  retimerPresenceDetected:       [0x32, 2, 6, 1, 'ROS'],
  twoRetimersPresenceDetected:   [0x32, 2, 7, 1, 'ROS'],
  crosslinkResolution:           [0x32, 2, 8, 2, 'RO'],
  flitModeStatus:                [0x32, 2, 10, 1, 'RO'],
  downstreamComponentPresence:   [0x32, 2, 12, 3, 'RO'],
  drsMessageReceived:            [0x32, 2, 15, 1, 'RW1C'],
} as const satisfies Record<string, Field>;

const portType = bits(0x02, 2, 4, 4);
/** Root complex integrated endpoints and event collectors have no link. */
const hasLink = choose(portType, { 9: 0, 10: 0 }, 1);
const slotImplemented = bits(0x02, 2, 8, 1);
const hasSlot = choose(portType, { 4: slotImplemented, 6: slotImplemented }, 0);
const hasRoot = choose(portType, { 4: 1, 10: 1 }, 0);
/** The second half of the structure came with version 2. */
const version2 = (then: LengthTerm): LengthTerm => choose(bits(0x02, 2, 0, 4), { 0: 0, 1: 0 }, then);

/** PCI Express Capability. PCIe Base Specification, "PCI Express Capability Structure". */
export const expressRegisters: readonly RegisterBlock[] = [
  { name: 'pciExpressCapabilities', fields: expressCapabilities },
  { name: 'deviceCapabilities', fields: deviceCapabilities },
  { name: 'deviceControl', fields: deviceControl },
  { name: 'deviceStatus', fields: deviceStatus },
  { name: 'linkCapabilities', fields: linkCapabilities, when: hasLink },
  { name: 'linkControl', fields: linkControl, when: hasLink },
  { name: 'linkStatus', fields: linkStatus, when: hasLink },
  { name: 'slotCapabilities', fields: slotCapabilities, when: hasSlot },
  { name: 'slotControl', fields: slotControl, when: hasSlot },
  { name: 'slotStatus', fields: slotStatus, when: hasSlot },
  { name: 'rootControl', fields: rootControl, when: hasRoot },
  { name: 'rootCapabilities', fields: rootCapabilities, when: hasRoot },
  { name: 'rootStatus', fields: rootStatus, when: hasRoot },
  { name: 'deviceCapabilities2', fields: deviceCapabilities2, when: version2(1) },
  { name: 'deviceControl2', fields: deviceControl2, when: version2(1) },
  { name: 'linkCapabilities2', fields: linkCapabilities2, when: version2(hasLink) },
  { name: 'linkControl2', fields: linkControl2, when: version2(hasLink) },
  { name: 'linkStatus2', fields: linkStatus2, when: version2(hasLink) },
];
