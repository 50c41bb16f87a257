import { explainVerdict } from '@cadastre/device-layout';
import { type KnownImport } from '@cadastre/lifecycle';

/** An import as the API shows it: what was checked, and what became of each device. */
export function importView({ key, format, bundle, position, events, layouts, devices }: KnownImport): object {
  return {
    ...key, revision: 0, bundle: { format, digest: bundle, position, events, layouts },
    devices: devices.map(({ device, state, source, target }) => ({
      device, state, source,
      target: target && { ...target, verdict: { ...target.verdict, explanation: explainVerdict(target.verdict) } },
    })),
  };
}
