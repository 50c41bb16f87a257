import { defaultRegisters, planWhatFits } from './plan-what-fits.js';
import { readPlanPolicy } from './plan-policy.js';
import { defaultStrategies } from './refusal.js';
import { policy, requestOver, surveyOf, wholePasid } from './testing.js';

describe('a policy', () => {
  it('of nothing is the default', () => {
    expect(readPlanPolicy(undefined, ['pasid'])).toEqual({ ok: true, value: { operations: [], told: [], policy: {
      strategies: defaultStrategies, pinned: {}, allowedRanges: [], forbiddenRanges: [] } } });
  });

  it('takes offsets as people write them', () => {
    expect(readPlanPolicy({
      pinned: { pasid: '0x148' }, allowedRanges: [{ offset: '0x100', length: 256 }],
      forbiddenRanges: [{ offset: 1024, length: '0x10', reason: 'scratch' }],
      operations: [{ kind: 'hide-capability', space: 'extended', id: '0x10', reason: 'no VFs' }],
      told: [{ source: 'DVSEC 1:2', offset: '0x200', length: 8 }],
    }, ['pasid', 'pri'])).toEqual({ ok: true, value: {
      policy: {
        strategies: ['pinned', ...defaultStrategies], pinned: { pasid: 0x148 }, pinnedOrNowhere: true,
        allowedRanges: [{ offset: 0x100, length: 256 }],
        forbiddenRanges: [{ offset: 0x400, length: 16, reason: 'scratch' }] },
      operations: [{ kind: 'hide-capability', space: 'extended', id: 16, offset: null, reason: 'no VFs' }],
      told: [{ by: 'operator', source: 'DVSEC 1:2', name: null, range: { offset: 0x200, length: 8 } }] } });
  });

  it('with every wanted capability pinned means those offsets or nothing', () => {
    const read = readPlanPolicy({ pinned: { pasid: 256 } }, ['pasid']);
    expect(read.ok && read.value.policy.strategies).toEqual(['pinned']);
  });

  it.each<[string, unknown]>([
    ['', 7], ['/more', { more: 1 }], ['/pinned', { pinned: [] }], ['/pinned/x', { pinned: { x: 1 } }],
    ['/pinned/pasid', { pinned: { pasid: '148' } }], ['/strategies/1', { strategies: ['gap', 'x'] }],
    ['/strategies', { strategies: {} }], ['/allowedRanges/0/length', { allowedRanges: [{ offset: 0 }] }],
    ['/operations/0/kind', { operations: [{ kind: 'x' }] }],
    ['/operations/0/field', { operations: [{ kind: 'replace-identity', field: 'x', value: 1 }] }],
    ['/operations/0/reason', { operations: [{ kind: 'scrub', offset: 0, length: 1, reason: 1 }] }],
    ['/operations/0/length', { operations: [{ kind: 'hide-capability', space: 'extended', id: 1, length: 4 }] }],
    ['/operations/0/id', { operations: [{ kind: 'scrub', offset: 0x400, length: 4, id: 1 }] }],
    ['/operations/0/field', { operations: [{ kind: 'replace-register', offset: 4, mask: 1, value: 1, field: 'x' }] }],
    ['/operations/0/mask', { operations: [{ kind: 'replace-identity', field: 'revision', value: 1, mask: 1 }] }],
    ['/operations/0/kind', { operations: ['scrub'] }],
    ['/told/0/name', { told: [{ source: 'x', name: 'y', offset: 0, length: 8 }] }],
  ])('is refused with the JSON Pointer %p', (pointer, given) => {
    expect(readPlanPolicy(given, ['pasid'])).toMatchObject({ ok: false, refusal: { pointer } });
  });
});

describe('a pinned capability among others', () => {
  it('goes to its offset or nowhere, and the others where they have room', () => {
    const over = surveyOf({ extended: [{ id: 0x01, offset: 0x100 }] });
    const read = readPlanPolicy({ pinned: { pasid: 0x108 } }, ['pasid', 'pri']);
    if (!read.ok) throw new Error(read.refusal.problem);
    const { planned, notPlaced } = planWhatFits({ ...requestOver(over), policy: read.value.policy,
      wanted: [wholePasid, { name: 'pri', registers: {} }] });
    expect(planned?.layout.placements).toMatchObject([{ name: 'pri', strategy: 'gap' }]);
    expect(notPlaced).toMatchObject([{ name: 'pasid', refusal: { refused: [{ strategy: 'pinned' }] } }]);
  });
});

describe('what fits', () => {
  it('is placed, and the rest is told', () => {
    const over = surveyOf({ extended: [{ id: 0x01, offset: 0x100 }] });
    const request = requestOver(over, { wanted: [{ name: 'nvidia-clique', registers: {} }, wholePasid],
      policy: policy({ allowedRanges: [{ offset: 0x400, length: 8 }] }) });
    const { planned, notPlaced } = planWhatFits({ ...request, wanted: [...request.wanted,
      { name: 'pri', registers: {} }] });
    expect(planned?.layout.placements).toMatchObject([{ name: 'pasid', offset: 0x400 }]);
    expect(notPlaced).toMatchObject([{ name: 'nvidia-clique', refusal: { kind: 'capability-not-for-function' } },
      { name: 'pri', refusal: { kind: 'no-place' }, 
        explanation: expect.stringContaining('no place for pri') as string }]);
  });

  it('is told once of what is wanted twice', () => {
    const { planned, notPlaced } = planWhatFits(requestOver(surveyOf({}), { wanted: [wholePasid, wholePasid] }));
    expect(planned?.layout.placements).toEqual([]);
    expect(notPlaced).toMatchObject([{ name: 'pasid', explanation: 'pasid is wanted twice' }]);
  });

  it('is nothing where an operation is impossible, and the reason is told', () => {
    const operations = [{ kind: 'scrub', offset: 0xffe, length: 4, reason: 'x' }] as const;
    const nothing = planWhatFits(requestOver(surveyOf({}), { wanted: [], operations }));
    expect(nothing).toMatchObject({ planned: null, notPlaced: [], refusal: {
      kind: 'operation-impossible', index: 0, because: { kind: 'outside-space' } } });
    expect(planWhatFits(requestOver(surveyOf({}), { operations }))).toMatchObject({
      planned: null, notPlaced: [{ name: 'pasid' }], refusal: { kind: 'operation-impossible' } });
    expect(planWhatFits(requestOver(surveyOf({}))).refusal).toBeNull();
  });

  it('is nothing in a space that cannot be planned on', () => {
    const { planned, notPlaced } = planWhatFits(requestOver(surveyOf({ size: 256 })));
    expect(planned?.layout.placements).toEqual([]);
    expect(notPlaced).toMatchObject([{ name: 'pasid', refusal: { kind: 'no-extended-space' } }]);
    expect(planWhatFits(requestOver(surveyOf({ capturedBytes: 64 }))).planned).toBeNull();
  });
});

describe('fields nobody says', () => {
  const iommu = { maxPasidLog2: 16, exec: false, priv: true, atsSupported: true };
  it('are those of the hardware, of the PF, of the IOMMU', () => {
    const own = surveyOf({ extended: [{ id: 0x0f, offset: 0x100, body: [0x25, 0] }] });
    expect(defaultRegisters('ats', own, null, iommu)).toEqual({
      invalidateQueueDepth: 5, pageAlignedRequest: 1, globalInvalidateSupported: 0, relaxedOrderingSupported: 0 });
    const ofPf = defaultRegisters('ats', surveyOf({}), { address: null, survey: own }, iommu);
    expect(ofPf['invalidateQueueDepth']).toBe(5);
    expect(defaultRegisters('pasid', own, null, iommu)).toEqual({
      executeSupported: 0, privilegedSupported: 1, maxPasidWidth: 16 });
    expect(defaultRegisters('pasid', own, null, { ...iommu, maxPasidLog2: 0 })).toEqual({});
    const narrow = surveyOf({ extended: [{ id: 0x1b, offset: 0x100, body: [0x02, 0x08] }] });
    expect(defaultRegisters('pasid', narrow, null, { ...iommu, exec: true })).toEqual({
      executeSupported: 1, privilegedSupported: 0, maxPasidWidth: 8 });
    expect(defaultRegisters('pri', own, null, iommu)).toEqual({ outstandingPageRequestCapacity: 32 });
  });
});
