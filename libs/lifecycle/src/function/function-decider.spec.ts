import { ok, refuse } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { deviceKey, functionKey, given, observation } from '../testing.js';
import { functionDecider } from './function-decider.js';
import { type FunctionEvent } from './function-events.js';

const key = functionKey();
const by = deviceKey();
const seen = observation();
const registered: FunctionEvent = { type: 'FunctionRegistered', schema: 1, ...key };
const observed: FunctionEvent = { type: 'FunctionObserved', schema: 1, ...seen };
const claimed: FunctionEvent = { type: 'FunctionClaimed', schema: 1, ...by };
const released: FunctionEvent = { type: 'FunctionReleased', schema: 1, ...by };

describe('a function', () => {
  it('is registered by the first look at it', () => {
    expect(given(functionDecider).when({ kind: 'observe-function', key, observation: seen }))
      .toEqual(ok([registered, observed]));
  });

  it('is confirmed, without its bytes, by a look that sees nothing new', () => {
    expect(given(functionDecider, registered, observed).when({ kind: 'observe-function', key, observation: seen }))
      .toEqual(ok([{ type: 'ObservationConfirmed', schema: 1, configSpaceDigest: seen.configSpaceDigest }]));
  });

  it('has a new observation when its bytes changed', () => {
    const changed = observation({}, buildConfigSpace({ deviceId: 2 }));
    expect(given(functionDecider, registered, observed).when({ kind: 'observe-function', key, observation: changed }))
      .toEqual(ok([{ type: 'FunctionObserved', schema: 1, ...changed }]));
  });

  it.each([
    ['the host kernel', observation({ kernel: { release: '6.1.192', flavour: 'upstream' } })],
    ['the IOMMU', observation({ iommu: { maxPasidLog2: 0, exec: false, priv: false, atsSupported: false } })],
    ['the SR-IOV family', observation({ sriov: { role: 'pf', pf: null } })],
  ])('has a new observation when %s changed', (_what, changed) => {
    const decision = given(functionDecider, registered, observed)
      .when({ kind: 'observe-function', key, observation: changed });
    expect(decision).toEqual(ok([{ type: 'FunctionObserved', schema: 1, ...changed }]));
  });

  it('may be observed while it is claimed', () => {
    const decision = given(functionDecider, registered, observed, claimed)
      .when({ kind: 'observe-function', key, observation: observation({}, buildConfigSpace({ deviceId: 2 })) });
    expect(decision.ok).toBe(true);
  });

  it('can be claimed once it is registered', () => {
    expect(given(functionDecider, registered, observed).when({ kind: 'claim-function', key, by }))
      .toEqual(ok([claimed]));
  });

  it('cannot be claimed before it is registered', () => {
    expect(given(functionDecider).when({ kind: 'claim-function', key, by }))
      .toEqual(refuse({ kind: 'function-not-registered', ...key }));
  });

  it.each([
    ['another VM', deviceKey('vm-2')],
    ['another device of the same VM', deviceKey('vm-1', 'gpu1')],
    ['its own device again', by],
  ])('that is claimed cannot be claimed by %s', (_who, other) => {
    expect(given(functionDecider, registered, observed, claimed).when({ kind: 'claim-function', key, by: other }))
      .toEqual(refuse({ kind: 'function-claimed', ...key, by }));
  });

  it('is free for anybody after its release', () => {
    const other = deviceKey('vm-2');
    expect(given(functionDecider, registered, observed, claimed, released)
      .when({ kind: 'claim-function', key, by: other }))
      .toEqual(ok([{ type: 'FunctionClaimed', schema: 1, ...other }]));
  });

  it('is released only by the device that claimed it', () => {
    const history = [registered, observed, claimed];
    expect(given(functionDecider, ...history).when({ kind: 'release-function', key, by })).toEqual(ok([released]));
    expect(given(functionDecider, ...history).when({ kind: 'release-function', key, by: deviceKey('vm-2') }))
      .toEqual(refuse({ kind: 'function-not-claimed', ...key, claim: by }));
  });

  it('that nobody claimed cannot be released', () => {
    expect(given(functionDecider, registered).when({ kind: 'release-function', key, by }))
      .toEqual(refuse({ kind: 'function-not-claimed', ...key, claim: null }));
    expect(given(functionDecider).when({ kind: 'release-function', key, by }))
      .toEqual(refuse({ kind: 'function-not-registered', ...key }));
  });

  it('knows the revision of the event that holds its newest bytes', () => {
    const confirmed: FunctionEvent = {
      type: 'ObservationConfirmed', schema: 1, configSpaceDigest: seen.configSpaceDigest,
    };
    const { state } = given(functionDecider, registered, observed, confirmed, claimed);
    expect(state).toEqual({
      kind: 'registered', key, revision: 3, observation: { facts: seen, revision: 1 }, claim: by,
    });
  });
});
