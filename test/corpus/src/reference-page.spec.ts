import { readFileSync } from 'node:fs';
import { referencePage } from '@cadastre/vmm-profiles';

describe('docs/reference/vmm-profiles.md', () => {
  it('is what the profiles say: node tools/write-vmm-profiles-page.mjs writes it', () => {
    const page = new URL('../../../docs/reference/vmm-profiles.md', import.meta.url);
    expect(readFileSync(page, 'utf8')).toBe(referencePage());
  });
});
