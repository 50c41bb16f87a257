import { type DeviceKey, explainPasidCheck, type PasidCheck, type PasidEvent } from '@cadastre/lifecycle';

/** What a change came to, in one word. */
const recordedAs: { readonly [Type in PasidEvent['type']]: string } = {
  PasidEnabled: 'enabled', PasidDisabled: 'disabled', PasidAttached: 'attached', PasidReplaced: 'replaced',
  PasidDetached: 'detached', PasidOperationFailed: 'failed', PasidsDetached: 'all-detached', AtsEnabled: 'enabled',
  AtsDisabled: 'disabled', PriEnabled: 'enabled', PriDisabled: 'disabled',
};

/** A recorded change as the API shows it: where it stands, and what its event says. */
export function pasidAnswer(key: DeviceKey, revision: number, event: PasidEvent): object {
  const { type, schema, ...facts } = event;
  const checks = 'checks' in facts ? { checks: facts.checks.map(checkView) } : {};
  return { ...key, revision, recorded: recordedAs[type], event: { type, schema }, ...facts, ...checks };
}

/** A check as data and in words. */
export function checkView(one: PasidCheck): object {
  return { ...one, reason: explainPasidCheck(one) };
}
