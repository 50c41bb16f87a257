import { explainBaselineRefusal, explainRefusal, type LayoutRefusal } from '@cadastre/device-layout';
import { type Refusal } from '@cadastre/ledger';
import { explainDecideRefusal, explainPasidCheck, type PasidCheck } from '@cadastre/lifecycle';
import { type FieldError, type WriteOutcome } from './problem.js';

/** How one kind of refusal is told over HTTP. Status numbers appear in this folder and nowhere else. */
export interface RefusalProblem<Told extends Refusal> {
  readonly status: number;
  readonly title: string;
  detail(refusal: Told): string;
  /** What is wrong, what was given, what is allowed: every refusal has one. */
  field(refusal: Told): FieldError;
  /** Seconds after which the same request may be tried again. */
  readonly retryAfter?: number;
  readonly outcome?: WriteOutcome;
}

const where = (one: { readonly host: string; readonly address: string }): string => `${one.host}/${one.address}`;
const which = (one: { readonly vm: string; readonly device: string }): string => `${one.vm}/${one.device}`;
const failing = (checks: readonly PasidCheck[]): readonly PasidCheck[] => checks.filter(({ ok }) => !ok);
const namesOrNone = (names: readonly string[]): string => names.join(', ') || 'none';
const foundBy = {
  observation: 'its config space was read', pasid: 'it enabled PASID', migration: 'it brought it from another function',
} as const;
const reach = (head: number | null): string =>
  (head === null ? 'which is empty' : `which goes from position 0 to ${head}`);
const layout = (title: string, limit: string): LayoutProblem => ({
  status: 422, title, detail: explainRefusal,
  field: (one) => ({ pointer: '/function', detail: explainRefusal(one), value: valueOf(one), limit }),
});

interface LayoutProblem {
  readonly status: number;
  readonly title: string;
  detail(refusal: LayoutRefusal): string;
  field(refusal: LayoutRefusal): FieldError;
}

/** The number or name a layout refusal is about. */
function valueOf(refusal: LayoutRefusal): unknown {
  switch (refusal.kind) {
    case 'space-not-whole': return refusal.capturedBytes;
    case 'function-gone': return '0xff';
    case 'no-extended-space': return refusal.sizeBytes;
    case 'extended-space-unreadable': return '0xffffffff';
    case 'extended-list-broken': case 'standard-list-broken': return refusal.finding.kind;
    case 'operation-impossible': return refusal.index;
    case 'capability-wanted-twice': case 'capability-not-for-function': case 'no-place': return refusal.name;
  }
}

/** One row for each refusal: the compiler lists what is missing. */
export const refusalProblems: {
  readonly [Kind in Refusal['kind']]: RefusalProblem<Extract<Refusal, { kind: Kind }>>;
} = {
  'function-unknown': {
    status: 404, title: 'No such function',
    detail: (one) => `${where(one)} is not registered; POST /v1/functions registers it`,
    field: (one) => ({
      pointer: '/address', detail: 'not registered', value: where(one), limit: 'a registered function',
    }),
  },
  'function-not-registered': {
    status: 404, title: 'The function is not registered',
    detail: (one) => `${where(one)} is not registered; POST /v1/functions registers it`,
    field: (one) => ({ pointer: '/function', detail: 'not registered', value: where(one) }),
  },
  'device-unknown': {
    status: 404, title: 'No such device',
    detail: (one) => `${which(one)} was never attached`,
    field: (one) => ({
      pointer: '/device', detail: 'never attached', value: which(one), limit: 'a device that was attached',
    }),
  },
  'function-claimed': {
    status: 409, title: 'The function belongs to another device',
    detail: (one) => `${where(one)} is ${one.by.migration === null
      ? `claimed by ${which(one.by)}; detach that device first`
      : `kept for ${which(one.by)} by migration ${one.by.migration}; complete or abort that first`}`,
    field: (one) => ({ pointer: '/function', detail: `claimed by ${which(one.by)}`, value: where(one) }),
  },
  'function-retired': {
    status: 409, title: 'The function is retired',
    detail: (one) => `${where(one)} was taken out of service${one.reason === null ? '' : ` (${one.reason})`}; `
      + 'POST /v1/functions brings it back',
    field: (one) => ({ pointer: '/function', detail: 'retired', value: where(one), limit: 'a function in service' }),
  },
  'function-shared': {
    status: 409, title: 'Others use what the function has for them',
    detail: (one) => `${one.users} devices use ${one.capability} of ${where(one)}; disable it there first`,
    field: (one) => ({ pointer: '/address', detail: `users of ${one.capability}`, value: one.users, limit: '0' }),
  },
  'function-not-claimed': {
    status: 409, title: 'The function is not claimed by this device',
    detail: (one) => `${where(one)} is claimed by ${one.claim ? which(one.claim) : 'nobody'}`,
    field: (one) => ({
      pointer: '/device', detail: 'holds no claim', value: where(one), limit: 'the device that claimed it',
    }),
  },
  'function-not-observed': {
    status: 409, title: 'The function was never observed',
    detail: explainDecideRefusal,
    field: (one) => ({
      pointer: '/function', detail: 'never observed', value: where(one), limit: 'one observation',
    }),
  },
  'function-not-assignable': {
    status: 422, title: 'The function cannot be assigned to a VM',
    detail: explainDecideRefusal,
    field: (one) => ({ pointer: '/function', detail: 'header type', value: one.headerType, limit: '0' }),
  },
  'device-attached': {
    status: 409, title: 'The device is already attached',
    detail: (one) => `${which(one)} is attached to ${where(one.function)}; detach it first`,
    field: (one) => ({ pointer: '/device', detail: 'attached', value: which(one), limit: 'a detached device' }),
  },
  'device-not-attached': {
    status: 409, title: 'The device is not attached',
    detail: (one) => `${which(one)} ${{
      unknown: 'was never attached', attached: 'is attached, and its layout is not decided yet',
      detached: `was detached before: its revision is ${one.revision ?? 'none'}`,
    }[one.state]}`,
    field: (one) => ({ pointer: '/device', detail: one.state, value: which(one), limit: 'an attached device' }),
  },
  'physical-function-unknown': {
    status: 409, title: 'The physical function is not known',
    detail: (one) => `${where(one)} is a VF: it uses what its PF has, and ${one.pf === null
      ? 'nobody said which one that is' : `${one.pf} is not registered, or retired`}; POST /v1/functions tells`,
    field: (one) => ({ pointer: '/function', detail: 'its PF', value: one.pf, limit: 'a registered PF' }),
  },
  'capability-enabled': {
    status: 409, title: 'The capability is enabled',
    detail: (one) => `${one.name} of ${which(one)} is enabled; disable it first`,
    field: (one) => ({ pointer: '/device', detail: 'enabled', value: one.name, limit: 'disabled' }),
  },
  'capability-not-enabled': {
    status: 409, title: 'The capability is not enabled',
    detail: (one) => `${one.name} of ${which(one)} is not enabled; enable it first`,
    field: (one) => ({ pointer: '/device', detail: 'not enabled', value: one.name, limit: 'enabled' }),
  },
  'pasids-attached': {
    status: 409, title: 'PASIDs are attached',
    detail: (one) => `${one.count} PASIDs of ${which(one)} are attached; detach them or reset the device first`,
    field: (one) => ({ pointer: '/device', detail: 'PASIDs attached', value: one.count, limit: '0' }),
  },
  'pasid-out-of-range': {
    status: 422, title: 'The PASID is out of range',
    detail: (one) => `PASID ${one.pasid} is not in ${one.least}..${one.most}: ${one.widthBits} bits are enabled, `
      + 'and 0 is that of requests without a PASID',
    field: (one) => ({
      pointer: '/pasid', detail: 'out of range', value: one.pasid, limit: `${one.least}..${one.most}`,
    }),
  },
  'hwpt-without-pasid': {
    status: 422, title: 'The page table was not made for PASIDs',
    detail: (one) => `hwpt ${one.ptId} has the flags [${one.hwptFlags.join(', ')}]: IOMMU_HWPT_ALLOC_PASID is missing`,
    field: (one) => ({
      pointer: '/resulting/hwptFlags', detail: 'flag missing', value: one.hwptFlags, limit: 'pasid among them',
    }),
  },
  'pasid-unusable': {
    status: 422, title: 'The guest could not use PASID',
    detail: (one) => failing(one.checks).map((check) => `${check.check}: ${explainPasidCheck(check)}`).join('; '),
    field: (one) => ({
      pointer: '/platform', detail: failing(one.checks).map(({ check }) => check).join(', '),
      value: failing(one.checks).length, limit: 'every check holds',
    }),
  },
  'key-reused': {
    status: 422, title: 'The idempotency key was used for another request',
    detail: (one) => `key ${one.idempotencyKey} belongs to a request with other content; take a new key`,
    field: (one) => ({ pointer: '', detail: 'header Idempotency-Key: used before', value: one.idempotencyKey }),
  },
  'key-in-flight': {
    status: 409, title: 'A request with this idempotency key is running', retryAfter: 1,
    detail: (one) => `the first request with key ${one.idempotencyKey} has no answer yet; ask again in a second`,
    field: (one) => ({
      pointer: '', detail: 'header Idempotency-Key', value: one.idempotencyKey, limit: 'one request at a time',
    }),
  },
  'revision-stale': {
    status: 412, title: 'The precondition does not hold',
    detail: (one) => `${one.stream} ${one.actual === null ? 'does not exist' : `is at revision ${one.actual}`}, `
      + `the request expects ${one.expected}; read it again and decide anew`,
    field: (one) => ({
      pointer: '', detail: 'header If-Match or If-None-Match', value: one.expected,
      limit: one.actual === null ? 'it does not exist' : `revision ${one.actual}`,
    }),
  },
  'precondition-required': {
    status: 428, title: 'A precondition is required',
    detail: (one) => `${one.stream} exists at revision ${one.actual}: send If-Match: "${one.actual}" `
      + 'after you have seen what stands there',
    field: (one) => ({ pointer: '', detail: 'header If-Match is missing', limit: `"${one.actual}"` }),
  },
  'view-halted': {
    status: 503, title: 'The list stands still',
    detail: (one) => `the view of ${one.view} cannot take in event ${one.position}: ${one.reason}. `
      + 'All that is no list goes on; GET /readyz tells which lists stand still',
    field: (one) => ({ pointer: '', detail: one.reason, value: one.position, limit: 'events the view can take in' }),
  },
  'too-contended': {
    status: 503, title: 'Too many writers', retryAfter: 1,
    detail: (one) => `${one.stream} moved ${one.attempts} times while this request was decided; nothing was recorded`,
    field: (one) => ({ pointer: '', detail: 'attempts', value: one.attempts, limit: String(one.attempts) }),
  },
  'outcome-unknown': {
    status: 503, title: 'The outcome is unknown', outcome: 'unknown', retryAfter: 5,
    detail: (one) => `storage failed (${one.reason}); the request may or may not be recorded. Repeat it with the same `
      + 'idempotency key when the ledger is back: it answers from what was recorded',
    field: (one) => ({ pointer: '', detail: 'storage', value: one.reason, limit: 'working storage' }),
  },
  'pasid-width-out-of-range': {
    status: 422, title: 'The PASID width is out of range',
    detail: explainDecideRefusal,
    field: (one) => ({
      pointer: '/capabilities', detail: 'width', value: one.widthBits, limit: `${one.least}..${one.most}`,
    }),
  },
  'pasid-not-supported': {
    status: 422, title: 'PASID is not supported for this function',
    detail: explainDecideRefusal,
    field: (one) => ({
      pointer: '/capabilities', detail: 'pasid', value: 'pasid', limit: `maxPasidLog2 = ${one.maxPasidLog2}`,
    }),
  },
  'pasid-execute-not-supported': {
    status: 422, title: 'PASID execute permission is not supported',
    detail: explainDecideRefusal,
    field: () => ({ pointer: '/capabilities', detail: 'exec', value: true, limit: 'iommu.exec = false' }),
  },
  'pasid-privileged-not-supported': {
    status: 422, title: 'PASID privileged mode is not supported',
    detail: explainDecideRefusal,
    field: () => ({ pointer: '/capabilities', detail: 'priv', value: true, limit: 'iommu.priv = false' }),
  },
  'vmm-unknown': {
    status: 422, title: 'The VMM is not known',
    detail: explainDecideRefusal,
    field: (one) => ({
      pointer: '/vmm', detail: 'not known', value: `${one.name} ${one.version ?? ''}`.trim(),
      limit: one.known.join(', '),
    }),
  },
  'layout-seen': {
    status: 409, title: 'A guest has seen the layout',
    detail: (one) => `a guest has found the layout of ${which(one)}: ${foundBy[one.by]} (revision ${one.revision}); `
      + 'detach the device to decide anew',
    field: (one) => ({
      pointer: '/device', detail: 'seen by a guest', value: which(one), limit: 'a layout nobody saw',
    }),
  },
  'guest-space-too-short': {
    status: 422, title: 'The config space of the guest was not read whole',
    detail: (one) => `${one.capturedBytes} bytes were read, the layout has ${one.neededBytes}; read them all: as root, `
      + '`lspci -xxxx`, or the file `config` of the device in sysfs',
    field: (one) => ({
      pointer: '/configSpace/data', detail: 'too short', value: one.capturedBytes, limit: `${one.neededBytes} bytes`,
    }),
  },
  'registers-missing': {
    status: 422, title: 'The registers of a capability are missing',
    detail: explainDecideRefusal,
    field: (one) => ({
      pointer: '/capabilities', detail: 'no registers', value: one.name, limit: one.fields.join(', '),
    }),
  },
  'register-unknown': {
    status: 422, title: 'The capability has no such register field',
    detail: explainDecideRefusal,
    field: (one) => ({
      pointer: '/capabilities', detail: `${one.name}: no such field`, value: one.field, limit: one.fields.join(', '),
    }),
  },
  'register-out-of-range': {
    status: 422, title: 'A register value is out of range',
    detail: explainDecideRefusal,
    field: (one) => ({
      pointer: '/capabilities', detail: `${one.name}: ${one.field}`, value: one.value, limit: `0..${one.most}`,
    }),
  },
  'ats-not-supported': {
    status: 422, title: 'ATS is not supported for this function',
    detail: explainDecideRefusal,
    field: (one) => ({
      pointer: '/capabilities', detail: one.name, value: one.name, limit: 'iommu.atsSupported = false',
    }),
  },
  'migration-unknown': {
    status: 404, title: 'No such migration',
    detail: (one) => `${one.vm} has no migration ${one.id}; POST /v1/vms/${one.vm}/migrations plans one`,
    field: (one) => ({ pointer: '/id', detail: 'never planned', value: one.id, limit: 'a migration of this VM' }),
  },
  'migration-devices-differ': {
    status: 422, title: 'The migration is not about the devices of the VM',
    detail: (one) => (one.attached.length === 0 ? `${one.vm} has no attached device`
      : `attached are ${namesOrNone(one.attached)}; without a target: ${namesOrNone(one.missing)}; `
        + `not attached: ${namesOrNone(one.unknown)}`),
    field: (one) => ({
      pointer: '/target/functions', detail: 'other devices than the VM has',
      value: [...one.missing, ...one.unknown].join(', '), limit: one.attached.join(', ') || 'an attached device',
    }),
  },
  'import-unknown': {
    status: 404, title: 'No such import',
    detail: (one) => `${one.vm} has no import ${one.id}`,
    field: (one) => ({ pointer: '/id', detail: 'unknown', value: one.id, limit: 'an import of the VM' }),
  },
  'bundle-too-large': {
    status: 422, title: 'The bundle would be too large to be imported',
    detail: (one) => `the bundle of ${one.vm} up to position ${one.position} has more than ${one.mostBytes} bytes`,
    field: (one) => ({
      pointer: '/at', detail: 'too much is recorded', value: one.position, limit: `at most ${one.mostBytes} bytes`,
    }),
  },
  'bundle-of-another-format': {
    status: 422, title: 'The bundle has a format this version does not know',
    detail: (one) => `the bundle is ${one.format}, this version reads ${one.known}`,
    field: (one) => ({ pointer: '', detail: 'format of the bundle', value: one.format, limit: one.known }),
  },
  'bundle-damaged': {
    status: 422, title: 'The bundle is not what was exported',
    detail: (one) => [one.line === null ? '' : `line ${one.line}`, one.event === null ? '' : `(${one.event})`]
      .filter((part) => part !== '').join(' ') + `: ${one.problem}`,
    field: (one) => ({
      pointer: '', detail: one.problem, value: one.line, limit: 'every line as it was exported',
    }),
  },
  'bundle-of-another-vm': {
    status: 422, title: 'The bundle is of another VM',
    detail: (one) => `the bundle is of ${one.bundle}: send it to /v1/vms/${one.bundle}/imports`,
    field: (one) => ({ pointer: '/vm', detail: 'another VM', value: one.vm, limit: one.bundle }),
  },
  'import-devices-differ': {
    status: 422, title: 'The import is not about the devices of the bundle',
    detail: (one) => `attached were ${namesOrNone(one.attached)}; without a target: ${namesOrNone(one.missing)}; `
      + `not attached: ${namesOrNone(one.unknown)}`,
    field: (one) => ({
      pointer: '/target/functions', detail: 'other devices than the bundle has',
      value: [...one.missing, ...one.unknown].join(', '), limit: one.attached.join(', ') || 'no device',
    }),
  },
  'import-too-large': {
    status: 422, title: 'The bundle has too many devices for one import',
    detail: (one) => `the bundle of ${one.vm} has ${one.devices} devices, an import takes ${one.most}`,
    field: (one) => ({ pointer: '', detail: 'too many devices', value: one.devices, limit: `at most ${one.most}` }),
  },
  'import-impossible': {
    status: 422, title: 'The devices of the bundle cannot go there',
    detail: (one) => one.devices.map(({ device, target, reasons }) =>
      `${device} to ${where(target)}: ${reasons.join('; ')}`).join(' | '),
    field: ({ devices: [first] }) => ({
      pointer: `/target/functions/${first?.device ?? ''}`, detail: first?.reasons.join('; ') ?? '',
      value: first?.target.address, limit: 'a function that shows what the guest has',
    }),
  },
  'migration-too-large': {
    status: 422, title: 'The VM has too many devices for one migration',
    detail: (one) => `${one.vm} has ${one.devices} attached devices, a migration takes ${one.most}`,
    field: (one) => ({
      pointer: '/target/functions', detail: 'too many devices', value: one.devices, limit: `at most ${one.most}`,
    }),
  },
  'migration-impossible': {
    status: 422, title: 'The VM cannot go there',
    detail: (one) => one.devices.map(({ device, target, reasons }) =>
      `${device} to ${where(target)}: ${reasons.join('; ')}`).join(' | '),
    field: ({ devices: [first] }) => ({
      pointer: `/target/functions/${first?.device ?? ''}`, detail: first?.reasons.join('; ') ?? '',
      value: first?.target.address, limit: 'a function that shows what the guest has',
    }),
  },
  'vm-held': {
    status: 409, title: 'A migration holds the VM',
    detail: (one) => `migration ${one.migration} of ${one.vm} is prepared: no device joins the VM or leaves it until `
      + 'it is completed or aborted',
    field: (one) => ({
      pointer: '/vm', detail: `held by ${one.migration}`, value: one.vm, limit: 'a VM that no migration holds',
    }),
  },
  'migration-state': {
    status: 409, title: 'The migration is in another state',
    detail: (one) => `${one.id} is ${one.state}; this needs ${one.allowed.join(' or ') || 'a new migration'}`,
    field: (one) => ({
      pointer: '/id', detail: 'state', value: one.state, limit: one.allowed.join(' or ') || 'a new migration',
    }),
  },
  'migration-stale': {
    status: 409, title: 'The plan of the migration is not true any more',
    detail: (one) => `since ${one.id} was planned: ${one.changes.join('; ')}. Abort it and plan anew`,
    field: (one) => ({ pointer: '/id', detail: one.changes.join('; '), value: one.id, limit: 'what was planned' }),
  },
  'vm-unknown': {
    status: 404, title: 'No such VM',
    detail: (one) => `no device was ever attached to ${one.vm}`,
    field: (one) => ({ pointer: '/vm', detail: 'had no device', value: one.vm, limit: 'a VM that had a device' }),
  },
  'position-unknown': {
    status: 404, title: 'The log has no such moment',
    detail: (one) => `${one.asked} is no moment of the log, ${reach(one.head)}`,
    field: (one) => ({ pointer: '/at', detail: 'not in the log', value: one.asked, limit: reach(one.head) }),
  },
  'layout-undecided': {
    status: 404, title: 'The layout was not decided yet',
    detail: (one) => `${one.vm}/${one.device} was just attached there; its layout is decided at position ${one.since}`,
    field: (one) => ({
      pointer: '/at', detail: 'between the events of an attach', value: null, limit: `a position from ${one.since}`,
    }),
  },
  'not-yet': {
    status: 404, title: 'It did not exist yet',
    detail: (one) => `${one.stream} begins at position ${one.since}; at ${one.at} there was nothing of it`,
    field: (one) => ({
      pointer: '/at', detail: 'before its first event', value: one.at, limit: `a position from ${one.since}`,
    }),
  },
  'persona-unknown': {
    status: 404, title: 'No such persona',
    detail: (one) => `${one.name}${one.version === null ? '' : ` version ${one.version}`} was never published`,
    field: (one) => ({ pointer: '/name', detail: 'never published', value: one.name, limit: 'a published persona' }),
  },
  'persona-unchanged': {
    status: 409, title: 'The persona is unchanged',
    detail: (one) => `version ${one.version} of ${one.name} is this very layout (${one.digest})`,
    field: (one) => ({ pointer: '/layout', detail: 'unchanged', value: one.digest, limit: 'another layout' }),
  },
  'persona-does-not-fit': {
    status: 422, title: 'The persona does not fit the function',
    detail: explainDecideRefusal,
    field: (one) => ({ pointer: '/persona', detail: 'does not fit', value: one.persona }),
  },
  'persona-worn-whole': {
    status: 422, title: 'A persona is worn whole',
    detail: explainDecideRefusal,
    field: ({ members: [first = 'policy'] }) => ({
      pointer: `/${first.replace('.', '/')}`, detail: 'beside a persona', limit: 'nothing beside a persona',
    }),
  },
  'persona-moves-places': {
    status: 422, title: 'The persona would move what a guest has found',
    detail: explainDecideRefusal,
    field: (one) => ({
      pointer: '/persona', detail: 'moves places', value: one.persona, limit: 'the places of earlier layouts',
    }),
  },
  'no-baseline': {
    status: 422, title: 'The functions share no layout',
    detail: ({ because }) => explainBaselineRefusal(because),
    field: ({ because }) => ({ pointer: '/functions', detail: explainBaselineRefusal(because) }),
  },
  'space-not-whole': layout('The config space was not read whole', '256 or 4096 bytes, all of them'),
  'function-gone': layout('The function does not answer', 'a header that does not read 0xff throughout'),
  'no-extended-space': layout('The function has no extended config space', '4096 bytes'),
  'extended-space-unreadable': layout('The extended config space is not readable', 'a header or 0 at 0x100'),
  'extended-list-broken': layout('The extended capability list is broken', 'a list that ends'),
  'standard-list-broken': layout('The standard capability list is broken', 'a list that ends'),
  'capability-not-for-function': {
    ...layout('The capability is for other functions', 'functions of its kind'),
    field: (one) => ({ pointer: '/capabilities', detail: explainRefusal(one), value: one.name }),
  },
  'operation-impossible': {
    ...layout('An operation of the layout is impossible', 'what the function has'),
    field: (one) => ({ pointer: `/operations/${one.index}`, detail: explainRefusal(one) }),
  },
  'capability-wanted-twice': {
    ...layout('A capability is wanted twice', 'once'),
    field: (one) => ({ pointer: '/capabilities', detail: 'named twice', value: one.name, limit: 'once' }),
  },
  'no-place': {
    ...layout('There is no place for the capability', 'proven-free bytes'),
    field: (one) => ({
      pointer: '/policy', detail: explainRefusal(one), value: one.name, limit: `${one.length} proven-free bytes`,
    }),
  },
};
