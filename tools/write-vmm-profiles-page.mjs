// Writes docs/reference/vmm-profiles.md from the profiles. Build libs/vmm-profiles first.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.mjs';

const { referencePage } = await import(join(root, 'libs/vmm-profiles/dist/index.js'));
writeFileSync(join(root, 'docs/reference/vmm-profiles.md'), referencePage());
