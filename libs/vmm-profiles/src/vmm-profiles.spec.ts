import { qemu110 } from './profiles/qemu-11-0.js';
import { qemu111 } from './profiles/qemu-11-1.js';
import { newestOf, profileNamed, vmmProfiles } from './vmm-profiles.js';

describe('a profile that was corrected', () => {
  const corrected = { ...qemu110, revision: 2, source: 'a capture' };
  const revisions = [qemu110, qemu111, corrected];

  it('is known by its newest revision', () => {
    expect(newestOf(revisions).map(({ name, revision }) => [name, revision]))
      .toEqual([['qemu-11.1', 1], ['qemu-11.0', 2]]);
    expect(profileNamed('qemu-11.0', undefined, revisions)).toEqual({ ok: true, value: corrected });
  });

  it('is found by the revision a decision recorded, the old one as well', () => {
    expect(profileNamed('qemu-11.0', 1, revisions)).toEqual({ ok: true, value: qemu110 });
    expect(profileNamed('qemu-11.0', 3, revisions)).toMatchObject({ ok: false, refusal: {
      kind: 'profile-unknown', given: 'qemu-11.0/3', known: ['qemu-11.1', 'qemu-11.0'] } });
  });

  it('has one name for one VMM among those that are shown', () => {
    const names = vmmProfiles.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
