import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Which room may import which: the table of ARCHITECTURE.md, read by the linter. */
const core = ['room:config-space', 'room:vmm-profiles', 'room:device-layout', 'room:lifecycle'];
const mayImport = {
  'room:config-space': [],
  'room:vmm-profiles': ['room:config-space'],
  'room:device-layout': ['room:config-space', 'room:vmm-profiles'],
  'room:lifecycle': ['room:config-space', 'room:vmm-profiles', 'room:device-layout'],
  'room:event-store': [],
  'room:event-store-sqlite': ['room:event-store'],
  'room:views': ['room:config-space', 'room:device-layout', 'room:lifecycle', 'room:event-store'],
  'room:ledger': [...core, 'room:event-store', 'room:views'],
  'type:app': ['type:lib', 'type:app'],
  'type:test': ['type:lib', 'type:app'],
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/coverage/**', '**/.nx/**', '**/*.mjs'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      'max-len': ['error', { code: 120, ignoreUrls: true, ignoreStrings: false }],
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: true,
          allow: [],
          depConstraints: Object.entries(mayImport).map(([sourceTag, onlyDependOnLibsWithTags]) => ({
            sourceTag,
            onlyDependOnLibsWithTags,
          })),
        },
      ],
    },
  },
  { files: ['libs/{config-space,vmm-profiles,device-layout,lifecycle}/src/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'error' } },
);
