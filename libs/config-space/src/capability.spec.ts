import { occupiedEnd, occupiedRanges } from './capability.js';
import { survey } from './survey.js';
import { buildConfigSpace } from './testing/build-config-space.js';

describe('occupied bytes', () => {
  it('count in whole DWORDs, since nothing can start inside the last part of one', () => {
    expect([occupiedEnd({ offset: 0x40, length: 10 }), occupiedEnd({ offset: 0x40, length: 8 })]).toEqual([0x4c, 0x48]);
  });

  it('are listed by start, not in list order', () => {
    const { capabilities } = survey(buildConfigSpace({ standard: [{ id: 1, offset: 0x80 }, { id: 5, offset: 0x40 }] }));
    expect(occupiedRanges(capabilities)).toEqual([{ offset: 0x40, length: 12 }, { offset: 0x80, length: 8 }]);
  });
});
