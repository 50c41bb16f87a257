import { ConfigOffset, ConfigSpace } from '@cadastre/config-space';
import { buildConfigSpace } from '@cadastre/config-space/testing';
import { observedOnce } from '../function/function-decider.js';
import { deviceKey, endpoint, functionKey, observation, sure, wish } from '../testing.js';
import { decideLayout, type LayoutGround, type LayoutWish } from './decide-layout.js';
import { type CapabilityRequest } from './device-events.js';
import { whatFits } from './what-fits.js';

const pasid: CapabilityRequest = { name: 'pasid', widthBits: null, exec: null, priv: null };
const clique: CapabilityRequest = { name: 'nvidia-clique', registers: { clique: 3 } };

function over(space: ConfigSpace): LayoutGround {
  return { function: observedOnce(functionKey(), observation({}, space)), physicalFunction: null, evidence: null };
}

const gpu = buildConfigSpace({
  vendorId: 0x10de, classCode: 0x030000, standard: [{ id: 0x10, offset: 0x60, body: [0x02, 0x00] }],
  extended: [{ id: 1, offset: 0x100 }] });
const ask = (change: Partial<LayoutWish>): LayoutWish =>
  wish({ policy: { ...wish().policy, strategies: ['physical', 'table', 'gap'] }, ...change });
const names = (given: readonly { readonly name: string | null }[]): unknown => given.map(({ name }) => name);

describe('what an attach would decide', () => {
  it('is its decision, where nothing is refused', () => {
    const asked = ask({ requested: [pasid, clique] });
    expect(whatFits(deviceKey(), asked, over(gpu), null))
      .toEqual({ layout: sure(decideLayout(deviceKey(), asked, over(gpu), null)), refused: [] });
  });

  it('is the decision without what is refused, which is told', () => {
    const requested: readonly CapabilityRequest[] = [
      { ...pasid, exec: true }, { name: 'acs' }, { name: 'dsn', registers: {} }];
    const { layout, refused } = whatFits(deviceKey(), ask({ requested }), over(endpoint()), null);
    expect(refused).toMatchObject([
      { name: 'pasid', refusal: { kind: 'pasid-execute-not-supported' } },
      { name: 'dsn', refusal: { kind: 'registers-missing' } }]);
    const rest = ask({ requested: [{ name: 'acs' }] });
    expect(layout).toEqual(sure(decideLayout(deviceKey(), rest, over(endpoint()), null)));
  });

  it('refuses of a function without extended space only what belongs there', () => {
    const short = sure(ConfigSpace.from(gpu.toBytes().subarray(0, 256)));
    const { layout, refused } = whatFits(deviceKey(), ask({ requested: [pasid, clique] }), over(short), null);
    expect([names(refused), names(layout?.placements ?? [])]).toEqual([['pasid'], ['nvidia-clique']]);
  });

  it('refuses what a broken list would have to hold', () => {
    const looped = gpu.patched([{ offset: sure(ConfigOffset.from(0x100)), mask: 0xffffffff, value: 0x10010001 }]);
    const { layout, refused } = whatFits(deviceKey(), ask({ requested: [pasid, clique] }), over(looped), null);
    expect([refused, names(layout?.placements ?? [])]).toMatchObject([
      [{ name: 'pasid', refusal: { kind: 'extended-list-broken' } }], ['nvidia-clique']]);
  });

  it('is nothing, where the whole of the wish is impossible: that is told once, whatever is wanted', () => {
    const operations = [{ kind: 'hide-capability', space: 'extended', id: 0x777, offset: null, reason: 'x' }] as const;
    const none = ask({ requested: [], operations });
    expect(whatFits(deviceKey(), none, over(endpoint()), null)).toMatchObject({
      layout: null, refused: [{ name: null, refusal: { kind: 'operation-impossible', index: 0 },
        explanation: expect.stringContaining('operation 0 (hide-capability) is impossible') as unknown }] });
    const some = whatFits(deviceKey(), { ...none, requested: [pasid] }, over(endpoint()), null);
    expect(names(some.refused)).toEqual([null]);
  });
});
