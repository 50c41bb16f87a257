import { ok, refuse } from '@cadastre/config-space';
import { fold } from '../decider.js';
import { deviceDecider, type DeviceState } from '../device/device-decider.js';
import { functionDecider, type RegisteredFunction } from '../function/function-decider.js';
import { DeviceId, HostName, MigrationId } from '../name.js';
import { deviceKey, functionKey, given, observation, sure, wish } from '../testing.js';
import { type MigrationCommand, migrationDecider, type MoveNow, type VmNow } from './migration-decider.js';
import { type MigrationEvent } from './migration-events.js';
import { type Moved, planMove } from './plan-move.js';

const by = deviceKey();
const key = { vm: by.vm, id: sure(MigrationId.from('m-1')) };
const observed = observation();

function registered(host: string, facts = observed): RegisteredFunction {
  const state = fold(functionDecider, [
    { type: 'FunctionRegistered', schema: 1, ...functionKey('0000:3b:00.1', host) },
    { type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...facts },
  ]);
  if (state.kind !== 'registered') throw new Error('a registered function is registered');
  return state;
}

const attached = fold(deviceDecider, sure(given(deviceDecider).when({
  kind: 'attach-device', key: by, hotPlugOrder: null, wish: wish(),
  ground: { function: registered('host-a'), physicalFunction: null, evidence: null },
})));
const target = registered('host-b');

function move(to = target): Moved {
  if (attached.kind !== 'attached') throw new Error('an attached device is attached');
  return sure(planMove({ device: attached, observed, target: to, physicalFunction: null, evidence: null, vmm: null }));
}

const planIt: MigrationCommand = {
  kind: 'plan-migration', key, host: sure(HostName.from('host-b')), vmm: null, moves: [move()] };
const planned = sure(given(migrationDecider).when(planIt));
const claimed: RegisteredFunction = { ...target, claim: { ...by, migration: key.id } };
const now = (change: Partial<MoveNow> = {}, others: readonly DeviceId[] = []): VmNow => ({
  moves: [{ device: attached, target, physicalFunction: null, ...change }], attached: [by.device, ...others],
});
const prepareIt: MigrationCommand = { kind: 'prepare-migration', key, now: now() };
const completeIt: MigrationCommand = { kind: 'complete-migration', key, now: now({ target: claimed }) };
const abortIt: MigrationCommand = { kind: 'abort-migration', key, reason: null };
const prepared: readonly MigrationEvent[] = [...planned, { type: 'MigrationPrepared', schema: 1 }];
const histories: Readonly<Record<string, readonly MigrationEvent[]>> = {
  unknown: [], planned, prepared,
  completed: [...prepared, { type: 'MigrationCompleted', schema: 1 }],
  aborted: [...prepared, { type: 'MigrationAborted', schema: 1, reason: null }],
};

describe('a migration', () => {
  // Every command in every state: those that follow on it, and the refusal of all others.
  const follows: Readonly<Record<string, readonly string[]>> = {
    unknown: ['plan-migration'], planned: ['prepare-migration', 'abort-migration'],
    prepared: ['complete-migration', 'abort-migration'], completed: [], aborted: [],
  };
  it.each(Object.keys(histories).flatMap((state) => [planIt, prepareIt, completeIt, abortIt].map((command) =>
    [state, command.kind, command] as const)))('that is %s takes %s only where it follows', (state, kind, command) => {
    const decision = given(migrationDecider, ...histories[state] ?? []).when(command);
    if (follows[state]?.includes(kind)) expect(decision.ok).toBe(true);
    else expect(decision).toMatchObject({ ok: false, refusal: { kind: 'migration-state', state } });
  });

  it('keeps the verdict and the layout of every device, complete', () => {
    expect(planned).toMatchObject([{ type: 'MigrationPlanned', moves: [{
      device: by.device, verdict: { verdict: 'obeys', reasons: [] },
      observation: { stream: 'function-host-b/0000:3b:00.1' },
      layout: { placements: [{ name: 'pasid', offset: 0x134 }] },
    }] }]);
  });

  it('of one device that cannot go takes none', () => {
    const other = registered('host-b', observation({ iommu: {
      maxPasidLog2: 4, exec: false, priv: true, atsSupported: true } }));
    const decision = given(migrationDecider).when({ ...planIt, moves: [move(), move(other)] });
    expect(decision).toMatchObject({ ok: false, refusal: {
      kind: 'migration-impossible', devices: [{ verdict: { reasons: [{ kind: 'register-weaker' }] } }] } });
  });

  it('does not put two devices on one function', () => {
    expect(given(migrationDecider).when({ ...planIt, moves: [move(), move()] })).toMatchObject({
      refusal: { kind: 'migration-impossible', devices: [{ reasons: ['another device goes there'] }] } });
  });

  it.each<[string, Partial<RegisteredFunction>, RegExp]>([
    ['claimed', { claim: { ...deviceKey('vm-9'), migration: null } }, /claimed by vm-9/],
    ['retired', { retired: { reason: null } }, /retired/],
    ['never observed', { observation: null }, /never observed/],
  ])('does not go to a function that is %s', (_what, change, reason) => {
    expect(move({ ...target, ...change })).toMatchObject({
      kind: 'impossible', move: { reasons: [expect.stringMatching(reason)] } });
  });

  const gone: DeviceState =
    { kind: 'detached', key: by, revision: 2, last: functionKey(), shown: null, reason: null };
  it.each<[string, Partial<MoveNow>, string]>([
    ['the device is gone', { device: gone }, 'device gpu0 is detached'],
    ['the target was observed anew', {
      target: { ...target, observation: { facts: observed, revision: 5, configSpaceRevision: 5 } } },
    'function-host-b/0000:3b:00.1 was observed anew: revision 5'],
    ['the host of the target told something else of the same bytes', {
      target: { ...target, observation: { facts: observed, revision: 6, configSpaceRevision: 1 } } },
    'function-host-b/0000:3b:00.1 was observed anew: revision 6'],
    ['somebody has the target', { target: { ...target, claim: { ...deviceKey('vm-9'), migration: null } } },
      'function-host-b/0000:3b:00.1 is claimed by vm-9/gpu0'],
    ['another migration keeps the target for the device', {
      target: { ...target, claim: { ...by, migration: sure(MigrationId.from('m-2')) } } },
    'function-host-b/0000:3b:00.1 is claimed by vm-1/gpu0'],
    ['the PF of the target was observed, whom nobody knew', { physicalFunction: registered('host-c') },
      'function-host-c/0000:3b:00.1 was observed since: revision 1'],
  ])('is stale once %s', (_what, change, told) => {
    expect(given(migrationDecider, ...planned).when({ ...prepareIt, now: now(change) }))
      .toEqual(refuse({ kind: 'migration-stale', ...key, changes: [told] }));
  });

  it('is stale once a device was attached that it does not take along', () => {
    const late = sure(DeviceId.from('nic1'));
    const told = ['device nic1 is attached since, and goes nowhere'];
    expect(given(migrationDecider, ...planned).when({ ...prepareIt, now: now({}, [late]) }))
      .toEqual(refuse({ kind: 'migration-stale', ...key, changes: told }));
    expect(given(migrationDecider, ...prepared).when({ ...completeIt, now: now({ target: claimed }, [late]) }))
      .toEqual(refuse({ kind: 'migration-stale', ...key, changes: told }));
  });

  it('is stale once the PF of its target was observed anew, or is gone', () => {
    const [event] = planned;
    if (event?.type !== 'MigrationPlanned') throw new Error('nothing was planned');
    const pf = { stream: 'function-host-b/0000:3b:00.0', revision: 1, configSpaceDigest: observed.configSpaceDigest };
    const moves = event.moves.map((one) => ({ ...one, layout: { ...one.layout, physicalFunction: pf } }));
    const state = { ...registered('host-b'), key: functionKey('0000:3b:00.0', 'host-b') };
    const again = { ...state, observation: { facts: observed, revision: 4, configSpaceRevision: 4 } };
    for (const [physicalFunction, changes] of [
      [state, null], [again, [`${pf.stream} was observed anew: revision 4`]],
      [null, [`${pf.stream} was observed anew: revision none`]],
    ] as const) {
      expect(given(migrationDecider, { ...event, moves }).when({ ...prepareIt, now: now({ physicalFunction }) }))
        .toEqual(changes ? refuse({ kind: 'migration-stale', ...key, changes })
          : ok([{ type: 'MigrationPrepared', schema: 1 }]));
    }
  });

  it('is not completed without the claims it prepared', () => {
    expect(given(migrationDecider, ...prepared).when({ ...completeIt, now: now() }))
      .toMatchObject({ refusal: { kind: 'migration-stale', changes: [expect.stringContaining('by nobody')] } });
    expect(given(migrationDecider, ...prepared).when(completeIt))
      .toEqual(ok([{ type: 'MigrationCompleted', schema: 1 }]));
  });
});

describe('a device that migrates', () => {
  const layout = planned.flatMap((event) => (event.type === 'MigrationPlanned' ? event.moves : []))[0]?.layout;
  if (!layout) throw new Error('nothing was planned');

  it('goes on with what its guest has seen, and attaches its PASIDs anew', () => {
    const events = sure(deviceDecider.decide(
      { kind: 'move-device', key: by, to: target.key, layout, migration: key.id }, attached));
    expect(events.map(({ type }) => type)).toEqual(['DeviceMoved', 'LayoutDecided']);
    expect(fold(deviceDecider, events, attached)).toMatchObject({
      kind: 'attached', function: target.key, revision: 3, layout: { observation: { revision: 1 } } });
  });
});
