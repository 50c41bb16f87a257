import { Pasid } from '@cadastre/config-space';
import { canonicalJson } from '@cadastre/device-layout';
import fc from 'fast-check';
import { fold } from '../decider.js';
import { attachOver, observation, seed, sure } from '../testing.js';
import { deviceDecider, type DeviceState } from './device-decider.js';
import { type DeviceEvent } from './device-events.js';
import { readDeviceState, type StateText, writeDeviceState } from './device-state-text.js';
import { hwptFlags } from './pasids/page-table.js';

const begun = fold(deviceDecider, attachOver(observation()));

const anyPasid = fc.oneof(fc.constantFrom(1, 31, 32, 1_023, 1_024, 32_768, 2 ** 20 - 1), fc.nat(5_000))
  .map((given) => sure(Pasid.from(given)));
const anyEvent: fc.Arbitrary<DeviceEvent> = fc.oneof(
  { weight: 5, arbitrary: fc.record({
    type: fc.constant('PasidAttached' as const), schema: fc.constant(1 as const), pasid: anyPasid,
    requested: fc.record({ kind: fc.constantFrom('ioas' as const, 'hwpt' as const), ptId: fc.nat(9) }),
    resultingPtId: fc.nat(9), hwptFlags: fc.shuffledSubarray([...hwptFlags]), faultId: fc.option(fc.nat(9)),
  }) },
  fc.record({
    type: fc.constant('PasidDetached' as const), schema: fc.constant(1 as const), pasid: anyPasid,
    was: fc.constant(null),
  }),
);

function read({ text, parts }: StateText): DeviceState | undefined {
  const kept = new Map(parts.map((part) => [part.name, part.text()]));
  return readDeviceState(text, (name) => kept.get(name));
}

describe(`a device as text (CADASTRE_SEED=${seed})`, () => {
  it('is read back as it was, whatever PASIDs it has', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 80, size: 'max' }), (events) => {
      const state = fold(deviceDecider, events, begun);
      const again = read(writeDeviceState(state));
      expect(again).toEqual(state);
      expect(canonicalJson(again)).toBe(canonicalJson(state));
    }), { seed, numRuns: 100 });
  });

  it('is read back while it is unknown and when it is detached', () => {
    const detached = fold(deviceDecider, sure(deviceDecider.decide(
      { kind: 'detach-device', key: begun.kind === 'attached' ? begun.key : never(), reason: null }, begun)), begun);
    for (const state of [deviceDecider.initial, detached]) expect(read(writeDeviceState(state))).toEqual(state);
  });

  it('shares the blocks of PASIDs that did not change, also after it was read back', () => {
    const attached = (pasid: number): DeviceEvent => ({
      type: 'PasidAttached', schema: 1, pasid: sure(Pasid.from(pasid)), requested: { kind: 'ioas', ptId: 1 },
      resultingPtId: 2, hwptFlags: ['pasid'], faultId: null,
    });
    const before = fold(deviceDecider, [1, 2_000, 4_000].map(attached), begun);
    const first = writeDeviceState(before);
    const again = read(first);
    if (!again) throw new Error('a part is missing');
    const second = writeDeviceState(fold(deviceDecider, [attached(2_001)], again));
    const [one, two] = [first, second].map(({ parts }) => parts.map(({ name }) => name));
    expect(two?.map((name, index) => name === one?.[index])).toEqual([true, false, true]);
  });

  it('is lost when one of its parts is', () => {
    const state = fold(deviceDecider, [{
      type: 'PasidAttached', schema: 1, pasid: sure(Pasid.from(1)), requested: { kind: 'ioas', ptId: 1 },
      resultingPtId: 2, hwptFlags: [], faultId: null,
    }], begun);
    expect(readDeviceState(writeDeviceState(state).text, () => undefined)).toBe(undefined);
  });
});

function never(): never {
  throw new Error('the device is attached');
}
