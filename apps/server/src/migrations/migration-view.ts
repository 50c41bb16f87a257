import { explainVerdict } from '@cadastre/device-layout';
import { type KnownMigration, type PlannedMove } from '@cadastre/lifecycle';

/** A migration as the API shows it: its state, and for each device the verdict and what to set at the target. */
export function migrationView({ kind, key, revision, host, vmm, moves, reason }: KnownMigration): object {
  return { ...key, state: kind, revision, target: { host, vmm }, reason, devices: moves.map(moveView) };
}

function moveView({ device, source, target, sourceLayoutDigest, observation, verdict, layout }: PlannedMove): object {
  return {
    device, source, target, observation,
    verdict: { ...verdict, explanation: explainVerdict(verdict) },
    layoutDigest: { source: sourceLayoutDigest, target: layout.layoutDigest },
    guestConfigSpaceDigest: layout.guestConfigSpaceDigest,
    vmm: layout.vmm,
  };
}
