import { buildConfigSpace, type ExtendedEntry, u16 } from '@cadastre/config-space/testing';
import { fold } from '../decider.js';
import { functionDecider, observedOnce } from '../function/function-decider.js';
import { type Observation } from '../function/observation.js';
import { deviceKey, functionKey, layoutIn, observation, sure, wish } from '../testing.js';
import { type LayoutWish } from './decide-layout.js';
import { deviceDecider } from './device-decider.js';
import { type DecidedLayout } from './device-events.js';
import { familyDangers } from './family-dangers.js';

const pfKey = functionKey('0000:3b:00.0');
const aer: ExtendedEntry = { id: 0x0001, offset: 0x100 };
const sriov = (deviceId: number): ExtendedEntry =>
  ({ id: 0x0010, offset: 0x180, body: [...new Array<number>(0x16).fill(0), ...u16(deviceId)] });
const pasid = (offset = 0x2d0, capability = [0x06, 0x14]): ExtendedEntry =>
  ({ id: 0x001b, offset, body: [...capability, 0, 0] });
const pri = (capacity: number): ExtendedEntry =>
  ({ id: 0x0013, offset: 0x2f0, body: [0, 0, 0, 1, capacity, 0, 0, 0, 0, 0, 0, 0] });

function pfWith(extended: readonly ExtendedEntry[], vendorId = 0x8086): Observation {
  return observation({ sriov: { role: 'pf', pf: null } }, buildConfigSpace({
    vendorId, standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }], extended: [aer, ...extended] }));
}

const own = observation({ sriov: { role: 'vf', pf: pfKey.address } }, buildConfigSpace({
  vendorId: 0xffff, deviceId: 0xffff, standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }], extended: [aer] }));
const then = pfWith([sriov(0x154c), pasid(), pri(64)]);

function decided(asked: Partial<LayoutWish> = {}, family = then, over = own): DecidedLayout {
  return layoutIn(sure(deviceDecider.decide({
    kind: 'attach-device', key: deviceKey(), hotPlugOrder: null, wish: wish(asked),
    ground: {
      function: observedOnce(functionKey(), over), evidence: null,
      physicalFunction: { address: pfKey.address, state: observedOnce(pfKey, family) },
    },
  }, deviceDecider.initial)));
}

const layout = decided({ requested: [{ name: 'pasid', widthBits: null, exec: null, priv: null }, { name: 'pri' }] });
const dangers = (now: Observation): readonly object[] => familyDangers(layout, own, { then, now });

describe('a guest on a VF', () => {
  it('is in no danger while its PF is as it was, or changed what no VF has of it', () => {
    expect(layout.placements).toMatchObject([{ offset: 0x2d0, strategy: 'physical' }, { offset: 0x2f0 }]);
    expect(dangers(then)).toEqual([]);
    expect(dangers(pfWith([sriov(0x154c), { id: 0x0018, offset: 0x240 }, pasid(), pri(64)]))).toEqual([]);
    expect(dangers(pfWith([sriov(0x154c), pasid(), pri(128)]))).toEqual([]);
  });

  it('is endangered once its PF gives it other IDs, or none', () => {
    expect(dangers(pfWith([sriov(0x1889), pasid(), pri(64)]))).toEqual([
      { kind: 'identity-differs', field: 'deviceId', layout: 0x154c, destination: 0x1889 }]);
    expect(dangers(pfWith([sriov(0x154c), pasid(), pri(64)], 0x1af4))).toEqual([
      { kind: 'identity-differs', field: 'vendorId', layout: 0x8086, destination: 0x1af4 }]);
    expect(dangers(pfWith([pasid(), pri(64)]))).toEqual([
      { kind: 'identity-differs', field: 'vendorId', layout: 0x8086, destination: null },
      { kind: 'identity-differs', field: 'deviceId', layout: 0x154c, destination: null }]);
  });

  it('is endangered once the PASID or the PRI of its PF is gone, elsewhere or weaker', () => {
    const named = { space: 'extended', id: 0x1b, name: 'pasid' };
    expect(dangers(pfWith([sriov(0x154c), pri(64)]))).toEqual([
      { kind: 'capability-missing', ...named, offset: 0x2d0 }]);
    expect(dangers(pfWith([sriov(0x154c), pri(64), pasid(0x340)]))).toEqual([
      { kind: 'offset-would-move', ...named, layout: 0x2d0, destination: 0x340 }]);
    expect(dangers(pfWith([sriov(0x154c), pasid(0x2d0, [0x06, 0x08]), pri(32)]))).toEqual([
      { kind: 'register-weaker', ...named, offset: 0x2d0, field: 'maxPasidWidth of the physical function',
        layout: 16, destination: 8 },
      { kind: 'register-weaker', space: 'extended', id: 0x13, name: 'pri', offset: 0x2f0,
        field: 'outstandingPageRequestCapacity of the physical function', layout: 64, destination: 32 }]);
  });

  it('does not mind a PF that can less, but as much as it was promised', () => {
    expect(dangers(pfWith([sriov(0x154c), pasid(0x2d0, [0x06, 0x10]), pri(64)]))).toEqual([]);
  });

  it('does not mind what its PF never had', () => {
    const bare = pfWith([sriov(0x154c)]);
    expect(familyDangers(decided({}, bare), own, { then: bare, now: bare })).toEqual([]);
    const silent = pfWith([]);
    expect(familyDangers(decided({}, silent), own, { then: silent, now: then })).toEqual([]);
    const narrow = pfWith([sriov(0x154c), pasid(0x2d0, [0x06, 0x08])]);
    expect(familyDangers(decided({}, narrow), own, { then: narrow, now: pfWith([sriov(0x154c),
      pasid(0x2d0, [0x06, 0x08]), pri(64)]) })).toEqual([]);
  });

  it('that has nothing of its PF but its IDs does not mind where the PF has PASID', () => {
    const plain = decided({ requested: [] });
    expect(familyDangers(plain, own, { then, now: pfWith([sriov(0x154c)]) })).toEqual([]);
  });

  it('is told by a look at it, though its own bytes are as they were', () => {
    const key = functionKey();
    const running = { holder: { ...deviceKey(), revision: 1 }, layout, stoodOn: own };
    const family = { then, now: pfWith([sriov(0x154c), pri(64)]) };
    const state = observedOnce(key, own);
    const look = { kind: 'observe-function', key, observation: own, running: { ...running, family } } as const;
    const events = sure(functionDecider.decide(look, state));
    expect(events).toMatchObject([{ type: 'HostFactsObserved', dangers: [{ kind: 'capability-missing' }] }]);
    const after = fold(functionDecider, events, state);
    expect(functionDecider.decide(look, after)).toMatchObject({ value: [{ type: 'ObservationConfirmed' }] });
    const again = { ...look, running: { ...running, family: { then, now: then } } };
    expect(functionDecider.decide(again, after)).toMatchObject({ value: [{ type: 'HostFactsObserved', dangers: [] }] });
  });
});
