import { CapabilityName } from './capability-name.js';

describe('the name of a capability', () => {
  it('is that of the catalogue in lower case, and an ID without a row has one too', () => {
    expect(CapabilityName.of('extended', 0x1b)).toBe('pasid');
    expect(CapabilityName.of('standard', 0x11)).toBe('msix');
    const unknown = [CapabilityName.of('extended', 0x7777), CapabilityName.of('standard', 0x77)];
    expect(unknown).toEqual(['unknown-7777', 'unknown-77']);
    expect(unknown.every(CapabilityName.is)).toBe(true);
  });

  it.each(['PASID', 'pasid ', '', 'unknown-', 'unknown-777'])('is not %j', (given) => {
    expect(CapabilityName.is(given)).toBe(false);
  });

  it('stands once and in order in a set', () => {
    const [pasid, aer] = [CapabilityName.of('extended', 0x1b), CapabilityName.of('extended', 1)];
    expect(CapabilityName.setOf([pasid, aer, pasid])).toEqual(['aer', 'pasid']);
  });
});
