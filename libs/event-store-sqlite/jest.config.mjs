import preset from '../../jest.preset.mjs';

// Real disks and real processes: quick on an idle machine, but a busy one must not fail the tests.
export default { ...preset, displayName: 'event-store-sqlite', testTimeout: 60_000 };
