import { type ConfigSpaceParts, type ExtendedEntry, u16 } from '@cadastre/config-space/testing';
import { obedientVmm } from '@cadastre/vmm-profiles';
import { type PhysicalFunction } from './ground.js';
import { knownQuirks } from './known-quirks.js';
import { type LayoutDocument, readLayoutDocument, writeLayoutDocument } from './layout-document.js';
import { layoutDocument } from './make-layout-document.js';
import { migrationVerdict } from './migration-verdict.js';
import { type LayoutRequest } from './plan-layout.js';
import { defaultStrategies } from './refusal.js';
import { abilitiesOf, planned, policy, refusalOf, surveyOf } from './testing.js';
import { type Verdict } from './verdict.js';
import { headerAsBound, identityAsBound, vfioFunctionOf } from './vfio-function.js';

const aer: ExtendedEntry = { id: 0x01, offset: 0x100 };
const vfParts: ConfigSpaceParts = {
  vendorId: 0xffff, deviceId: 0xffff, subsystemVendorId: 0x8086, subsystemId: 7, extended: [aer] };
const vf = surveyOf(vfParts, 'vf');
/** A PF whose VFs have this device ID. */
const familyOf = (vendorId: number, vfDeviceId: number, deviceId = 0x2711): PhysicalFunction => ({
  address: '0000:3b:00.0',
  survey: surveyOf({ vendorId, deviceId, extended: [{ ...aer, id: 0x10,
    body: [...new Array<number>(0x16).fill(0), ...u16(vfDeviceId)] }] }, 'pf'),
});
const dlb = familyOf(0x8086, 0x2714);
const byDefault: Partial<LayoutRequest> = { policy: policy({ strategies: defaultStrategies }), quirks: knownQuirks };

describe('a VF whose physical function is known', () => {
  const { layout, guestConfigSpace } = planned(vf, { ...byDefault, physicalFunction: dlb });

  it('is matched with the rows about the IDs its PF gives it', () => {
    expect(layout.placements).toMatchObject([{ name: 'pasid', offset: 0x148, strategy: 'table', cautions: [] }]);
    expect(layout.evidence.quirks).toEqual(['intel-dlb-driver-offset']);
  });

  it('has them where its guest reads them, and nothing else of its header changes', () => {
    expect([guestConfigSpace.u32(0x00), guestConfigSpace.u32(0x2c)]).toEqual([0x27148086, 0x00078086]);
    expect(layout.patches[0]).toEqual({ offset: 0, mask: 0xffffffff, value: 0x27148086 });
    expect(identityAsBound(vf, dlb.survey)).toMatchObject({ vendorId: 0x8086, deviceId: 0x2714, subsystemId: 7 });
    expect(vfioFunctionOf('vf', dlb.survey ?? null)).toEqual({ role: 'vf', ids: {
      vendorId: 0x8086, deviceId: 0x2714 } });
  });

  it('has them in its document, with who says so', () => {
    const document = layoutDocument(vf, layout, guestConfigSpace);
    expect(document.identity).toMatchObject({ vendorId: 0x8086, deviceId: 0x2714 });
    expect(document.ranges[0]).toMatchObject({ offset: 0, length: 4, compare: 'identical', write: 'dropped',
      provenance: { by: 'planner', rule: 'vf-ids' } });
    expect(readLayoutDocument(writeLayoutDocument(document))).toMatchObject({ ok: true });
  });

  it('reads what an operator puts over them', () => {
    const replaced = planned(vf, { ...byDefault, physicalFunction: dlb, operations: [
      { kind: 'replace-identity', field: 'deviceId', value: 0x9999, reason: 'a model of our own' }] });
    expect(replaced.guestConfigSpace.u32(0)).toBe(0x99998086);
    const document = layoutDocument(vf, replaced.layout, replaced.guestConfigSpace);
    expect(document.ranges.slice(0, 2).map(({ provenance: { rule } }) => rule)).toEqual(['vf-ids', 'replace-identity']);
  });

  it('may have a capability that is for its model, or not, by those IDs', () => {
    const wanted = [{ name: 'nvidia-clique', registers: { clique: 1 } }] as const;
    const gpu = surveyOf({ ...vfParts, classCode: 0x030200 }, 'vf');
    expect(planned(gpu, { ...byDefault, wanted, physicalFunction: familyOf(0x10de, 0x2331) }).layout.placements)
      .toMatchObject([{ name: 'nvidia-clique', offset: 0xc8 }]);
    expect(refusalOf(gpu, { ...byDefault, wanted, physicalFunction: dlb })).toMatchObject({
      kind: 'capability-not-for-function', vendorId: 0x8086, deviceId: 0x2714 });
  });
});

describe('a VF whose physical function is not known', () => {
  const unknown: Partial<LayoutRequest> = { ...byDefault, physicalFunction: { address: null, survey: null } };

  it('is matched by the vendor of its subsystem, with no row that names devices, and that is said', () => {
    const { layout, guestConfigSpace } = planned(vf, unknown);
    expect(layout.placements).toMatchObject([{ offset: 0x134, strategy: 'gap' }]);
    expect(layout.placements[0]?.cautions).toContainEqual({ kind: 'ids-not-known', vendorId: 0x8086 });
    expect(guestConfigSpace.u32(0)).toBe(0xffffffff);
    const storage = surveyOf({ ...vfParts, subsystemVendorId: 0x19a2 }, 'vf');
    expect(planned(storage, unknown).layout.evidence.quirks).toEqual(['be2net-registers']);
  });

  it('says the same of one whose physical function lists no SR-IOV', () => {
    const family = { address: '0000:3b:00.0', survey: surveyOf({ extended: [aer] }) };
    expect(planned(vf, { ...byDefault, physicalFunction: family }).layout.placements[0]?.cautions)
      .toEqual([{ kind: 'ids-not-known', vendorId: 0x8086 }]);
  });

  it('and of one whose SR-IOV capability is cut by the end of its space', () => {
    const family = { address: '0000:3b:00.0', survey: surveyOf({ extended: [{ id: 0x10, offset: 0xff0 }] }) };
    expect(planned(vf, { ...byDefault, physicalFunction: family }).layout.placements[0]?.cautions)
      .toContainEqual({ kind: 'ids-not-known', vendorId: 0x8086 });
  });

  it('has its own IDs where its bytes tell them', () => {
    const telling = surveyOf({ ...vfParts, vendorId: 0x8086, deviceId: 0x2714 }, 'vf');
    const { layout } = planned(telling, unknown);
    expect(layout.placements).toMatchObject([{ offset: 0x148, cautions: [{ kind: 'physical-function-not-seen' }] }]);
    expect(headerAsBound(telling.header, null)).toEqual(telling.header);
  });

  it('says it anew with every plan, and no more once the physical function is known', () => {
    const decided = planned(vf, unknown).layout.placements;
    expect(planned(vf, { ...unknown, decided }).layout.placements[0]?.cautions.map(({ kind }) => kind))
      .toEqual(['physical-function-not-seen', 'ids-not-known']);
    expect(planned(vf, { ...byDefault, physicalFunction: dlb, decided }).layout.placements[0]?.cautions
      .map(({ kind }) => kind)).toEqual(['physical-function-not-seen']);
  });
});

describe('a move of a VF', () => {
  const documentOf = (family: PhysicalFunction): LayoutDocument => {
    const { layout, guestConfigSpace } = planned(vf, { ...byDefault, physicalFunction: family });
    return layoutDocument(vf, layout, guestConfigSpace);
  };
  const iommu = { maxPasidLog2: 20, exec: true, priv: true, atsSupported: true };
  const known = documentOf(dlb);
  const unknown = documentOf({ address: null, survey: null });
  const move = (layout: LayoutDocument, family: PhysicalFunction | null, vmm = obedientVmm): Verdict =>
    migrationVerdict(layout, { survey: vf, iommu, vmm, physicalFunction: family?.survey ?? null });

  it('to a VF of the same model is possible, of another vendor it is not', () => {
    expect(move(known, dlb)).toMatchObject({ reasons: [], unchecked: [] });
    expect(move(known, familyOf(0x15b3, 0x101e)).reasons).toEqual([
      { kind: 'identity-differs', field: 'vendorId', layout: 0x8086, destination: 0x15b3 }]);
    const plain = { ...abilitiesOf('qemu-11.0') };
    expect(move(known, familyOf(0x8086, 0x1515), plain).reasons).toContainEqual(
      { kind: 'identity-differs', field: 'deviceId', layout: 0x2714, destination: 0x1515 });
  });

  it('is not judged by IDs nobody knows, on either side, and that is said', () => {
    const unchecked = [expect.stringContaining('vendor and device ID')];
    for (const [layout, family] of [[known, null], [unknown, dlb], [unknown, null]] as const) {
      const verdict = move(layout, family);
      expect(verdict).toMatchObject({ reasons: [], unchecked });
      expect(verdict.differences.filter(({ offset }) => offset < 4)).toEqual([]);
    }
  });
});
