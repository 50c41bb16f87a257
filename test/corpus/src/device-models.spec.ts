import { type CapabilitySpace, survey } from '@cadastre/config-space';
import { expectSound } from '@cadastre/config-space/testing';
import { guestView, type HostFacts, vmmProfiles } from '@cadastre/vmm-profiles';
import { deviceModels } from './captures.js';

const models = deviceModels().map((one): [string, typeof one] => [one.name, one]);
const host: HostFacts = {
  kernel: { release: '7.2', flavour: 'upstream' }, pasid: { widthBits: 16, execute: true, privileged: true },
};

describe('the device models of QEMU 11.1', () => {
  it.each(models)('%s: lists what its own machine lists, and shows a list that ends', (_, model) => {
    const { capabilities } = survey(model.space);
    const listed = (space: CapabilitySpace, digits: number): string => capabilities
      .filter((one) => one.space === space)
      .map(({ id, offset }) => `${id.toString(16).padStart(digits, '0')}@${offset.toString(16)}`).join(' ');
    expect([listed('standard', 2), listed('extended', 4)]).toEqual([model.standard, model.extended]);
    expectSound(model.space);
    for (const profile of vmmProfiles) {
      const { space, findings } = guestView(model.space, profile, {}, host);
      if (space !== null) expectSound(space);
      expect(findings.filter(({ kind }) => /loops|below-space|header-zero|not-captured/.test(kind))).toEqual([]);
    }
  });

  it('are more than a hundred', () => {
    expect(models.length).toBeGreaterThan(100);
  });
});
