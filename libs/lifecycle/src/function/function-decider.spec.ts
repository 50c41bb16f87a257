import { ConfigOffset, ok, refuse } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { MigrationId } from '../name.js';
import { type DeviceKey } from '../stream-key.js';
import { attachOver, deviceKey, endpoint, functionKey, given, layoutIn, observation, sure } from '../testing.js';
import { type FunctionCommand, functionDecider, type RunningGuest } from './function-decider.js';
import { type FunctionEvent } from './function-events.js';
import { type Observation } from './observation.js';

const key = functionKey();
const by = deviceKey();
const seen = observation();
const look = (seenNow = seen): FunctionCommand =>
  ({ kind: 'observe-function', key, observation: seenNow, running: null });
const registered: FunctionEvent = { type: 'FunctionRegistered', schema: 1, ...key };
const observed: FunctionEvent = { type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...seen };
const claimed: FunctionEvent = { type: 'FunctionClaimed', schema: 1, ...by, migration: null };
const released: FunctionEvent = { type: 'FunctionReleased', schema: 1, ...by };

describe('a function', () => {
  it('is registered by the first look at it', () => {
    expect(given(functionDecider).when(look()))
      .toEqual(ok([registered, observed]));
  });

  it('is confirmed, without its bytes, by a look that sees nothing new', () => {
    expect(given(functionDecider, registered, observed).when(look()))
      .toEqual(ok([{ type: 'ObservationConfirmed', schema: 1, configSpaceDigest: seen.configSpaceDigest }]));
  });

  it('has a new observation when its bytes changed', () => {
    const changed = observation({}, buildConfigSpace({ deviceId: 2 }));
    expect(given(functionDecider, registered, observed).when(look(changed)))
      .toEqual(ok([{ type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...changed }]));
  });

  const told = (facts: Observation): FunctionEvent => {
    const { configSpaceDigest, kernel, firmware, iommu, sriov } = facts;
    return {
      type: 'HostFactsObserved', schema: 1, holder: null, dangers: [], configSpaceDigest, configSpaceRevision: 1,
      kernel, firmware, iommu, sriov,
    };
  };

  it.each([
    ['the host kernel', observation({ kernel: { release: '6.1.192', flavour: 'upstream' } })],
    ['the IOMMU', observation({ iommu: { maxPasidLog2: 0, exec: false, priv: false, atsSupported: false } })],
    ['the firmware', observation({ firmware: '2.1' })],
    ['the SR-IOV family', observation({ sriov: { role: 'pf', pf: null } })],
    ['the flavour of the host kernel', observation({ kernel: { release: '7.2.13', flavour: 'nvidia' } })],
    ['its physical function', observation({ sriov: { role: 'vf', pf: functionKey().address } })],
  ])('has new host facts, without its bytes, when %s changed', (_what, changed) => {
    expect(given(functionDecider, registered, observed).when(look(changed))).toEqual(ok([told(changed)]));
    expect(given(functionDecider, registered, observed, told(changed)).state).toMatchObject({
      revision: 2, observation: { facts: changed, revision: 2, configSpaceRevision: 1 } });
  });

  it('has host facts that name the event with its bytes, and no host facts between', () => {
    const [second, third] = [observation({ firmware: '2' }), observation({ firmware: '3' })];
    const history = [registered, observed, told(second)];
    expect(given(functionDecider, ...history).when(look(third))).toEqual(ok([told(third)]));
    expect(given(functionDecider, ...history).when(look(second)))
      .toMatchObject(ok([{ type: 'ObservationConfirmed' }]));
    expect(given(functionDecider, ...history).when(look())).toEqual(ok([told(seen)]));
  });

  it('has its bytes recorded anew once they differ, whatever host facts were told between', () => {
    const changed = observation({ firmware: '2' }, buildConfigSpace({ deviceId: 2 }));
    const history = [registered, observed, told(observation({ firmware: '2' }))];
    const events = sure(given(functionDecider, ...history).when(look(changed)));
    expect(events).toEqual([{ type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...changed }]);
    expect(given(functionDecider, ...history, ...events).state)
      .toMatchObject({ observation: { facts: changed, revision: 3, configSpaceRevision: 3 } });
    expect(sure(given(functionDecider, ...history, ...events).when(look(observation({ ...changed, firmware: '3' })))))
      .toMatchObject([{ type: 'HostFactsObserved', configSpaceRevision: 3 }]);
  });

  it('that was retired has its bytes recorded anew, though only host facts differ', () => {
    const newer = observation({ firmware: '2' });
    const history: readonly FunctionEvent[] =
      [registered, observed, { type: 'FunctionRetired', schema: 1, reason: null }];
    const events = sure(given(functionDecider, ...history).when(look(newer)));
    expect(events).toEqual([registered, { type: 'FunctionObserved', schema: 1, holder: null, dangers: [], ...newer }]);
    expect(given(functionDecider, ...history, ...events).state)
      .toMatchObject({ observation: { revision: 4, configSpaceRevision: 4 } });
  });

  it('endangers the guest on it by host facts alone: an IOMMU that gives less than it was promised', () => {
    const running = { holder: { ...by, revision: 7 }, layout: layoutIn(attachOver(seen)), stoodOn: seen, family: null };
    const less = observation({ iommu: { maxPasidLog2: 8, exec: false, priv: true, atsSupported: true } });
    const claimedOne = given(functionDecider, registered, observed, claimed);
    const events = sure(claimedOne.when({ kind: 'observe-function', key, observation: less, running }));
    const dangers = [{ kind: 'register-weaker', name: 'PASID' }];
    expect(events).toMatchObject([{ type: 'HostFactsObserved', holder: running.holder, dangers }]);
    const endangered = given(functionDecider, registered, observed, claimed, ...events);
    expect(endangered.state).toMatchObject({ running: { ...running.holder, dangers } });
    const again = sure(endangered.when({ kind: 'observe-function', key, observation: seen, running }));
    expect(given(functionDecider, registered, observed, claimed, ...events, ...again).state)
      .toMatchObject({ running: { ...running.holder, dangers: [] } });
  });

  describe('whose guest was endangered by the newest look', () => {
    const free = layoutIn(attachOver(seen));
    const at = free.placements[0]?.offset ?? 0;
    const taken = observation({}, endpoint().patched([{ offset: sure(ConfigOffset.from(at)), mask: 1, value: 1 }]));
    const first = { holder: { ...by, revision: 1 }, layout: free, stoodOn: seen, family: null };
    const judged = (observation: Observation, running: RunningGuest | null): FunctionCommand =>
      ({ kind: 'observe-function', key, observation, running });
    const history: FunctionEvent[] = [registered, observed, claimed];
    history.push(...sure(given(functionDecider, ...history).when(judged(taken, first))));

    it('is confirmed by the same look again, whatever else happened to the device', () => {
      const later = { ...first, holder: { ...by, revision: 9 } };
      expect(given(functionDecider, ...history).when(judged(taken, later)))
        .toMatchObject(ok([{ type: 'ObservationConfirmed' }]));
    });

    it('is judged anew, without its bytes, once that guest has a layout over what was seen', () => {
      const layout = layoutIn(attachOver(taken));
      const moved = { holder: { ...by, revision: 2 }, layout, stoodOn: taken, family: null };
      const events = sure(given(functionDecider, ...history).when(judged(taken, moved)));
      const { configSpaceDigest, kernel, firmware, iommu, sriov } = taken;
      expect(events).toEqual([{
        type: 'HostFactsObserved', schema: 1, holder: moved.holder, dangers: [], configSpaceDigest,
        configSpaceRevision: 3, kernel, firmware, iommu, sriov,
      }]);
      const safe = given(functionDecider, ...history, ...events);
      expect(safe.state).toMatchObject({
        running: { revision: 2, dangers: [] }, observation: { facts: taken, revision: 4, configSpaceRevision: 3 } });
      expect(safe.when(judged(taken, moved))).toMatchObject(ok([{ type: 'ObservationConfirmed' }]));
    });
  });

  it('that a device holds since the newest look is confirmed: nothing it was promised is gone', () => {
    const running = { holder: { ...by, revision: 1 }, layout: layoutIn(attachOver(seen)), stoodOn: seen, family: null };
    expect(given(functionDecider, registered, observed, claimed)
      .when({ kind: 'observe-function', key, observation: seen, running }))
      .toMatchObject(ok([{ type: 'ObservationConfirmed' }]));
  });

  it('endangers a guest that came after the newest look, over an older one', () => {
    const less = observation({ iommu: { maxPasidLog2: 8, exec: false, priv: true, atsSupported: true } });
    const running = { holder: { ...by, revision: 1 }, layout: layoutIn(attachOver(seen)), stoodOn: seen, family: null };
    expect(given(functionDecider, registered, observed, told(less), claimed)
      .when({ kind: 'observe-function', key, observation: less, running }))
      .toMatchObject(ok([{ type: 'HostFactsObserved', dangers: [{ kind: 'register-weaker' }] }]));
  });

  it('may be observed while it is claimed, and its event names who held it and what their guest has no more', () => {
    const running = { holder: { ...by, revision: 7 }, layout: layoutIn(attachOver(seen)), stoodOn: seen, family: null };
    const { holder, layout: { placements } } = running;
    const place = placements[0]?.offset ?? 0;
    const claimedOne = given(functionDecider, registered, observed, claimed);
    const look = (observation: Observation): FunctionCommand =>
      ({ kind: 'observe-function', key, observation, running });
    const newer = observation({ firmware: 'new' });
    expect(claimedOne.when(look(newer))).toEqual(ok([{ ...told(newer), holder }]));
    const taken = observation({}, endpoint().patched([{ offset: sure(ConfigOffset.from(place)), mask: 1, value: 1 }]));
    const dangers = [{ kind: 'place-taken', name: 'pasid', offset: place, at: place }];
    const events = sure(claimedOne.when(look(taken)));
    expect(events).toMatchObject([{ holder, dangers }]);
    const endangered = given(functionDecider, registered, observed, claimed, ...events);
    expect(endangered.state).toMatchObject({ running: { ...holder, dangers } });
    expect(given(functionDecider, registered, observed, claimed, ...events, released).state)
      .toMatchObject({ running: null });
  });

  it('can be claimed once it is registered', () => {
    expect(given(functionDecider, registered, observed).when({ kind: 'claim-function', key, by, migration: null }))
      .toEqual(ok([claimed]));
  });

  it('kept for a migrating device is claimed by it once it runs there, and by no other', () => {
    const migration = sure(MigrationId.from('m-1'));
    const claim = (device: DeviceKey, of: MigrationId | null): FunctionCommand =>
      ({ kind: 'claim-function', key, by: device, migration: of });
    const kept = sure(given(functionDecider, registered, observed).when(claim(by, migration)));
    expect(kept).toEqual([{ type: 'FunctionClaimed', schema: 1, ...by, migration }]);
    const history = [registered, observed, ...kept];
    for (const [other, of] of [[deviceKey('vm-2'), null], [by, migration]] as const) {
      expect(given(functionDecider, ...history).when(claim(other, of)))
        .toEqual(refuse({ kind: 'function-claimed', ...key, state: 'kept', by: { ...by, migration } }));
    }
    expect(given(functionDecider, ...history).when(claim(by, null))).toEqual(ok([claimed]));
    expect(given(functionDecider, ...history, claimed).when(claim(by, null)))
      .toEqual(refuse({ kind: 'function-claimed', ...key, state: 'claimed', by: { ...by, migration: null } }));
  });

  it('cannot be claimed before it is registered', () => {
    expect(given(functionDecider).when({ kind: 'claim-function', key, by, migration: null }))
      .toEqual(refuse({ kind: 'function-not-registered', ...key }));
  });

  it.each([
    ['another VM', deviceKey('vm-2')],
    ['another device of the same VM', deviceKey('vm-1', 'gpu1')],
    ['its own device again', by],
  ])('that is claimed cannot be claimed by %s', (_who, other) => {
    expect(given(functionDecider, registered, observed, claimed)
      .when({ kind: 'claim-function', key, by: other, migration: null }))
      .toEqual(refuse({ kind: 'function-claimed', ...key, state: 'claimed', by: { ...by, migration: null } }));
  });

  it('is free for anybody after its release', () => {
    const other = deviceKey('vm-2');
    expect(given(functionDecider, registered, observed, claimed, released)
      .when({ kind: 'claim-function', key, by: other, migration: null }))
      .toEqual(ok([{ type: 'FunctionClaimed', schema: 1, ...other, migration: null }]));
  });

  it('is released only by the device that claimed it', () => {
    const history: FunctionEvent[] = [registered, observed, claimed];
    expect(given(functionDecider, ...history).when({ kind: 'release-function', key, by })).toEqual(ok([released]));
    expect(given(functionDecider, ...history).when({ kind: 'release-function', key, by: deviceKey('vm-2') }))
      .toEqual(refuse({ kind: 'function-not-claimed', ...key, claim: { ...by, migration: null } }));
  });

  it('that nobody claimed cannot be released', () => {
    expect(given(functionDecider, registered).when({ kind: 'release-function', key, by }))
      .toEqual(refuse({ kind: 'function-not-claimed', ...key, claim: null }));
    expect(given(functionDecider).when({ kind: 'release-function', key, by }))
      .toEqual(refuse({ kind: 'function-not-registered', ...key }));
  });

  it('knows the revision of the event that tells its newest observation', () => {
    const confirmed: FunctionEvent = {
      type: 'ObservationConfirmed', schema: 1, configSpaceDigest: seen.configSpaceDigest,
    };
    const { state } = given(functionDecider, registered, observed, confirmed, claimed);
    expect(state).toEqual({
      kind: 'registered', key, revision: 3, observation: { facts: seen, revision: 1, configSpaceRevision: 1 },
      claim: { ...by, migration: null }, running: null, users: { pasid: [], pri: [] }, retired: null,
    });
  });
});

describe('a retired function', () => {
  const retired: FunctionEvent = { type: 'FunctionRetired', schema: 1, reason: 'card removed' };
  const retire = { kind: 'retire-function', key, reason: 'card removed' } as const;
  const gone = refuse({ kind: 'function-retired' as const, ...key, reason: 'card removed' });

  it('was registered, and nobody held it', () => {
    expect(given(functionDecider, registered, observed).when(retire)).toEqual(ok([retired]));
    expect(given(functionDecider).when(retire)).toEqual(refuse({ kind: 'function-not-registered', ...key }));
    expect(given(functionDecider, registered, observed, claimed).when(retire))
      .toEqual(refuse({ kind: 'function-claimed', ...key, state: 'claimed', by: { ...by, migration: null } }));
    expect(given(functionDecider, registered, observed, claimed, released).when(retire)).toEqual(ok([retired]));
  });

  it('is claimed by nobody, used by nobody, and not retired again', () => {
    const history = given(functionDecider, registered, observed, retired);
    expect(history.when({ kind: 'claim-function', key, by, migration: null })).toEqual(gone);
    expect(history.when({ kind: 'use-shared-capability', key, capability: 'pasid', user: by })).toEqual(gone);
    expect(history.when(retire)).toEqual(gone);
  });

  it('is registered anew by the next look at it, whatever that sees, and is free then', () => {
    expect(given(functionDecider, registered, observed, retired).when(look())).toEqual(ok([registered, observed]));
    const again = given(functionDecider, registered, observed, retired, registered, observed);
    expect(again.state).toMatchObject({ revision: 4, retired: null, observation: { revision: 4 } });
    expect(again.when({ kind: 'claim-function', key, by, migration: null })).toEqual(ok([claimed]));
  });
});

describe('a capability a family shares', () => {
  const other = deviceKey('vm-2');
  const use = (user: typeof by): FunctionCommand =>
    ({ kind: 'use-shared-capability', key, capability: 'pasid', user });
  const free = (user: typeof by): FunctionCommand =>
    ({ kind: 'free-shared-capability', key, capability: 'pasid', user });
  const usedBy = (user: typeof by, users: number, first: boolean): FunctionEvent =>
    ({ type: 'SharedCapabilityUsed', schema: 1, capability: 'pasid', ...user, users, first });
  const freedBy = (user: typeof by, users: number, last: boolean): FunctionEvent =>
    ({ type: 'SharedCapabilityFreed', schema: 1, capability: 'pasid', ...user, users, last });

  it('counts its users, and tells which one was the first and which one the last', () => {
    const history: FunctionEvent[] = [registered, observed];
    const steps: readonly (readonly [FunctionCommand, FunctionEvent])[] = [
      [use(by), usedBy(by, 1, true)], [use(other), usedBy(other, 2, false)],
      [free(by), freedBy(by, 1, false)], [free(other), freedBy(other, 0, true)],
      [use(other), usedBy(other, 1, true)],
    ];
    for (const [command, event] of steps) {
      expect(given(functionDecider, ...history).when(command)).toEqual(ok([event]));
      history.push(event);
    }
    expect(given(functionDecider, ...history).state).toMatchObject({ users: { pasid: [other], pri: [] } });
  });

  it('counts nobody twice, and misses nobody who was not there', () => {
    const used = given(functionDecider, registered, observed, usedBy(by, 1, true));
    expect(used.when(use(by))).toEqual(ok([]));
    expect(used.when(free(other))).toEqual(ok([]));
    expect(given(functionDecider).when(use(by))).toEqual(refuse({ kind: 'function-not-registered', ...key }));
    expect(given(functionDecider).when(free(by))).toEqual(refuse({ kind: 'function-not-registered', ...key }));
  });

  it('keeps its function in service', () => {
    const retire = { kind: 'retire-function', key, reason: null } as const;
    const used = [registered, observed, usedBy(by, 1, true), usedBy(other, 2, false)];
    expect(given(functionDecider, ...used).when(retire))
      .toEqual(refuse({ kind: 'function-shared', ...key, capability: 'pasid', users: 2 }));
  });
});
