import { ConfigOffset } from '@cadastre/config-space';
import { layoutDigest, type Placement } from './layout.js';
import { physicalFunction, pinnedAt, planned, policy, surveyOf, wholePasid } from './testing.js';

const over = surveyOf({ extended: [{ id: 0x01, offset: 0x100 }] });

describe('the digest of a layout', () => {
  it('does not tell how a place was found', () => {
    const pinned = planned(over, { policy: pinnedAt(0x400) });
    const gap = planned(over, { policy: policy({ allowedRanges: [{ offset: 0x400, length: 8 }] }) });
    const physical = planned(over, { policy: policy({ strategies: ['pinned', 'physical'] }),
      physicalFunction: physicalFunction({ extended: [{ id: 0x1b, offset: 0x400 }] }) });
    expect(new Set([pinned, gap, physical].map((one) => one.layoutDigest)).size).toBe(1);
    expect(new Set([pinned, gap, physical].map((one) => one.guestConfigSpaceDigest)).size).toBe(1);
  });

  it('tells places and register values apart', () => {
    const narrower = [{ ...wholePasid, registers: { ...wholePasid.registers, maxPasidWidth: 16 } }];
    const digests = [planned(over), planned(over, { policy: pinnedAt(0x400) }), planned(over, { wanted: narrower }),
      planned(over, { wanted: [] })].map((one) => one.layoutDigest);
    expect(new Set(digests).size).toBe(4);
  });

  it('names every number of a placement', () => {
    const { layout } = planned(over);
    const changes: Partial<Placement>[] = [
      { id: 0x13 }, { version: 2 }, { length: 16 }, { offset: anotherOffset() }, { registers: { maxPasidWidth: 1 } }];
    const digests = changes.map((change) =>
      layoutDigest({ ...layout, placements: layout.placements.map((one) => ({ ...one, ...change })) }));
    expect(new Set([layoutDigest(layout), ...digests]).size).toBe(changes.length + 1);
  });

  it('is the SHA-256 of canonical JSON, and so the same everywhere', () => {
    expect(layoutDigest({ placements: [], patches: [] }))
      .toBe('sha256:a989ea02fbd74a4aef192d53950eaf7def5373a1cbc33362d92db01346477f88');
  });
});

function anotherOffset(): ConfigOffset {
  const offset = ConfigOffset.from(0x800);
  if (!offset.ok) throw new Error('0x800 is aligned');
  return offset.value;
}
