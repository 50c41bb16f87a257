import preset from '../../jest.preset.mjs';

export default {
  ...preset,
  displayName: 'e2e',
  setupFilesAfterEnv: ['<rootDir>/src/kill-leftovers.ts'],
  // Processes are started and killed here: slower than a unit, never endless.
  testTimeout: 30_000,
};
