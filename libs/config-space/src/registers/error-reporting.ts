import { choose, expressBits, bits, ifSet, largest } from '../catalogue/length-term.js';
import { type Access, type Field, type RegisterBlock } from './field.js';

/** PCIe Base Specification, "Uncorrectable Error Status Register"; mask and severity have the same bits. */
function uncorrectable(at: number, access: Access): Record<string, Field> {
  return {
    dataLinkProtocolError:        [at, 4, 4, 1, access],
    surpriseDownError:            [at, 4, 5, 1, access],
    poisonedTlpReceived:          [at, 4, 12, 1, access],
    flowControlProtocolError:     [at, 4, 13, 1, access],
    completionTimeout:            [at, 4, 14, 1, access],
    completerAbort:               [at, 4, 15, 1, access],
    unexpectedCompletion:         [at, 4, 16, 1, access],
    receiverOverflow:             [at, 4, 17, 1, access],
    malformedTlp:                 [at, 4, 18, 1, access],
    ecrcError:                    [at, 4, 19, 1, access],
    unsupportedRequestError:      [at, 4, 20, 1, access],
    acsViolation:                 [at, 4, 21, 1, access],
    uncorrectableInternalError:   [at, 4, 22, 1, access],
    mcBlockedTlp:                 [at, 4, 23, 1, access],
    atomicOpEgressBlocked:        [at, 4, 24, 1, access],
    tlpPrefixBlockedError:        [at, 4, 25, 1, access],
    poisonedTlpEgressBlocked:     [at, 4, 26, 1, access],
    dmwrRequestEgressBlocked:     [at, 4, 27, 1, access],
    ideCheckFailed:               [at, 4, 28, 1, access],
    misroutedIdeTlp:              [at, 4, 29, 1, access],
    pcrcCheckFailed:              [at, 4, 30, 1, access],
    tlpTranslationEgressBlocked:  [at, 4, 31, 1, access],
  };
}

/** "Correctable Error Status Register"; the mask has the same bits. */
function correctable(at: number, access: Access): Record<string, Field> {
  return {
    receiverError:           [at, 4, 0, 1, access],
    badTlp:                  [at, 4, 6, 1, access],
    badDllp:                 [at, 4, 7, 1, access],
    replayNumRollover:       [at, 4, 8, 1, access],
    replayTimerTimeout:      [at, 4, 12, 1, access],
    advisoryNonFatalError:   [at, 4, 13, 1, access],
    correctedInternalError:  [at, 4, 14, 1, access],
    headerLogOverflow:       [at, 4, 15, 1, access],
  };
}

/** "Advanced Error Capabilities and Control Register". */
const capabilitiesAndControl = {
  firstErrorPointer:                       [0x18, 4, 0, 5, 'ROS'],
  ecrcGenerationCapable:                   [0x18, 4, 5, 1, 'RO'],
  ecrcGenerationEnable:                    [0x18, 4, 6, 1, 'RWS'],
  ecrcCheckCapable:                        [0x18, 4, 7, 1, 'RO'],
  ecrcCheckEnable:                         [0x18, 4, 8, 1, 'RWS'],
  multipleHeaderRecordingCapable:          [0x18, 4, 9, 1, 'RO'],
  multipleHeaderRecordingEnable:           [0x18, 4, 10, 1, 'RWS'],
  tlpPrefixLogPresent:                     [0x18, 4, 11, 1, 'ROS'],
  completionTimeoutPrefixHeaderLogCapable: [0x18, 4, 12, 1, 'RO'],
} as const satisfies Record<string, Field>;

/** "Root Error Command Register". */
const rootErrorCommand = {
  correctableErrorReportingEnable: [0x2c, 4, 0, 1, 'RW'],
  nonFatalErrorReportingEnable:    [0x2c, 4, 1, 1, 'RW'],
  fatalErrorReportingEnable:       [0x2c, 4, 2, 1, 'RW'],
} as const satisfies Record<string, Field>;

/** "Root Error Status Register". */
const rootErrorStatus = {
  errCorReceived:                      [0x30, 4, 0, 1, 'RW1CS'],
  multipleErrCorReceived:              [0x30, 4, 1, 1, 'RW1CS'],
  errFatalNonFatalReceived:            [0x30, 4, 2, 1, 'RW1CS'],
  multipleErrFatalNonFatalReceived:    [0x30, 4, 3, 1, 'RW1CS'],
  firstUncorrectableFatal:             [0x30, 4, 4, 1, 'RW1CS'],
  nonFatalErrorMessagesReceived:       [0x30, 4, 5, 1, 'RW1CS'],
  fatalErrorMessagesReceived:          [0x30, 4, 6, 1, 'RW1CS'],
  advancedErrorInterruptMessageNumber: [0x30, 4, 27, 5, 'RO'],
} as const satisfies Record<string, Field>;

/** "Error Source Identification Register". */
const errorSource = {
  errCorSource:           [0x34, 2, 0, 16, 'ROS'],
  errFatalNonFatalSource: [0x36, 2, 0, 16, 'ROS'],
} as const satisfies Record<string, Field>;

const logDword = { dword: [0x00, 4, 0, 32, 'ROS'] } as const satisfies Record<string, Field>;
const hasRootRegisters = choose(expressBits(0x02, 2, 4, 4), { 4: 1, 10: 1 }, 0);
const hasPrefixLog = largest(
  ifSet(choose(expressBits(0x02, 2, 0, 4), { 0: 0, 1: 0 }, expressBits(0x24, 4, 21, 1)), 1), bits(0x18, 4, 11, 1),
);

/** Advanced Error Reporting. PCIe Base Specification, "Advanced Error Reporting Extended Capability". */
export const aerRegisters: readonly RegisterBlock[] = [
  { name: 'uncorrectableErrorStatus', fields: uncorrectable(0x04, 'RW1CS') },
  { name: 'uncorrectableErrorMask', fields: uncorrectable(0x08, 'RWS') },
  { name: 'uncorrectableErrorSeverity', fields: uncorrectable(0x0c, 'RWS') },
  { name: 'correctableErrorStatus', fields: correctable(0x10, 'RW1CS') },
  { name: 'correctableErrorMask', fields: correctable(0x14, 'RWS') },
  { name: 'advancedErrorCapabilitiesAndControl', fields: capabilitiesAndControl },
  { name: 'headerLog', fields: logDword, from: 0x1c, count: 4, size: 4 },
  { name: 'rootErrorCommand', fields: rootErrorCommand, when: hasRootRegisters },
  { name: 'rootErrorStatus', fields: rootErrorStatus, when: hasRootRegisters },
  { name: 'errorSourceIdentification', fields: errorSource, when: hasRootRegisters },
  { name: 'tlpPrefixLog', fields: logDword, from: 0x38, when: hasPrefixLog, count: 4, size: 4 },
];

/** "DPC Capability Register". */
const dpcCapability = {
  interruptMessageNumber:              [0x04, 2, 0, 5, 'RO'],
  rpExtensionsForDpc:                  [0x04, 2, 5, 1, 'RO'],
  poisonedTlpEgressBlockingSupported:  [0x04, 2, 6, 1, 'RO'],
  softwareTriggeringSupported:         [0x04, 2, 7, 1, 'RO'],
  rpPioLogSize:                        [0x04, 2, 8, 4, 'RO'],
  dlActiveErrCorSignalingSupported:    [0x04, 2, 12, 1, 'RO'],
} as const satisfies Record<string, Field>;

/** "DPC Control Register". */
const dpcControl = {
  triggerEnable:                   [0x06, 2, 0, 2, 'RW'],
  completionControl:               [0x06, 2, 2, 1, 'RW'],
  interruptEnable:                 [0x06, 2, 3, 1, 'RW'],
  errCorEnable:                    [0x06, 2, 4, 1, 'RW'],
  poisonedTlpEgressBlockingEnable: [0x06, 2, 5, 1, 'RW'],
  softwareTrigger:                 [0x06, 2, 6, 1, 'RW'],
  dlActiveErrCorEnable:            [0x06, 2, 7, 1, 'RW'],
} as const satisfies Record<string, Field>;

/** "DPC Status Register" and "DPC Error Source ID Register". */
const dpcStatus = {
  triggerStatus:          [0x08, 2, 0, 1, 'RW1CS'],
  triggerReason:          [0x08, 2, 1, 2, 'ROS'],
  interruptStatus:        [0x08, 2, 3, 1, 'RW1CS'],
  rpBusy:                 [0x08, 2, 4, 1, 'RO'],
  triggerReasonExtension: [0x08, 2, 5, 2, 'ROS'],
  rpPioFirstErrorPointer: [0x08, 2, 8, 5, 'ROS'],
} as const satisfies Record<string, Field>;

/** "RP PIO Status Register"; mask, severity, SysError and exception have the same bits. */
function rootPortPio(at: number, access: Access): Record<string, Field> {
  return {
    configurationUrCompletion: [at, 4, 0, 1, access],
    configurationCaCompletion: [at, 4, 1, 1, access],
    configurationTimeout:      [at, 4, 2, 1, access],
    ioUrCompletion:            [at, 4, 8, 1, access],
    ioCaCompletion:            [at, 4, 9, 1, access],
    ioTimeout:                 [at, 4, 10, 1, access],
    memoryUrCompletion:        [at, 4, 16, 1, access],
    memoryCaCompletion:        [at, 4, 17, 1, access],
    memoryTimeout:             [at, 4, 18, 1, access],
  };
}

const hasRpExtensions = bits(0x04, 2, 5, 1);
/** DWORDs of the RP PIO logs: 4 of the header, 1 implementation specific, up to 4 of the prefix. */
const pioLogSize = bits(0x04, 2, 8, 4);

/** Downstream Port Containment. PCIe Base Specification, "DPC Extended Capability". */
export const dpcRegisters: readonly RegisterBlock[] = [
  { name: 'dpcCapability', fields: dpcCapability },
  { name: 'dpcControl', fields: dpcControl },
  { name: 'dpcStatus', fields: dpcStatus },
  { name: 'dpcErrorSource', fields: { errorSourceId: [0x0a, 2, 0, 16, 'ROS'] } },
  { name: 'rpPioStatus', fields: rootPortPio(0x0c, 'RW1CS'), when: hasRpExtensions },
  { name: 'rpPioMask', fields: rootPortPio(0x10, 'RWS'), when: hasRpExtensions },
  { name: 'rpPioSeverity', fields: rootPortPio(0x14, 'RWS'), when: hasRpExtensions },
  { name: 'rpPioSysError', fields: rootPortPio(0x18, 'RWS'), when: hasRpExtensions },
  { name: 'rpPioException', fields: rootPortPio(0x1c, 'RWS'), when: hasRpExtensions },
  { name: 'rpPioLog', fields: logDword, from: 0x20, when: hasRpExtensions, count: pioLogSize, size: 4 },
];
