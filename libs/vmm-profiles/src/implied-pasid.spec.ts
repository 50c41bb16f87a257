import { impliedPasid } from './implied-pasid.js';
import { vmmProfiles } from './vmm-profiles.js';

describe('a PASID offset somebody sets', () => {
  it.each(vmmProfiles)('implies an IOMMU with PASID only where $name has such a setting', (profile) => {
    const implied = impliedPasid(profile, { 'x-vpasid-cap-offset': '0x300' });
    const hasSetting = ['qemu-11.0', 'qemu-11.1'].includes(profile.name);
    expect(implied).toEqual(hasSetting ? { widthBits: 20, execute: true, privileged: true } : null);
    expect(impliedPasid(profile, {})).toBeNull();
    expect(impliedPasid(profile, { 'x-vpasid-cap-offset': '0' })).toBeNull();
  });
});
