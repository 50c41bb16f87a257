import { ok, Pasid, refuse, type Result } from '@cadastre/config-space';
import fc from 'fast-check';
import { fold } from '../../decider.js';
import { deviceKey, functionKey, given, observation, seed, sure } from '../../testing.js';
import { type PageTable } from './page-table.js';
import { type PasidCommand, pasidDecider, type PasidState, sharedUses } from './pasid-decider.js';
import { type PasidEvent, resetCauses } from './pasid-events.js';
import { PasidTable } from './pasid-table.js';

const key = deviceKey();
const pf = functionKey('0000:3b:00.0');
const seven = sure(Pasid.from(7));
const visible = {
  pasid: { offset: 0x134, widthBits: 8, exec: false, priv: true }, toldBy: 'layout', revision: null,
} as const;
const enable: PasidCommand = {
  kind: 'enable-pasid', key, request: { widthBits: null, exec: null, priv: null }, visible,
  seen: { own: observation(), physicalFunction: null },
  platform: { viommuSsidBits: 16, ports: [{ address: pf.address, endEndTlpPrefix: true }] }, physicalFunction: pf,
};
const [enabled] = sure(given(pasidDecider).when(enable)) as [PasidEvent];
const table = (ptId: number): PageTable =>
  ({ requested: { kind: 'hwpt', ptId }, resultingPtId: ptId, hwptFlags: ['pasid'], faultId: null });

function attach(pasid: number, ptId: number): PasidCommand {
  const { requested, ...answer } = table(ptId);
  return { kind: 'attach-pasid', key, pasid: sure(Pasid.from(pasid)), requested, answer: { kind: 'done', ...answer } };
}
const detach = (pasid: number): PasidCommand =>
  ({ kind: 'detach-pasid', key, pasid: sure(Pasid.from(pasid)), answer: { kind: 'done' } });
const attached = (ptId: number): PasidEvent => ({ type: 'PasidAttached', schema: 1, pasid: seven, ...table(ptId) });

describe('PASID of an attached device', () => {
  it('is enabled with all that its use depends on, and only once', () => {
    expect(enabled).toMatchObject({
      type: 'PasidEnabled', widthBits: 8, exec: false, priv: true, physicalFunction: pf,
      platform: { viommuSsidBits: 16 }, checks: new Array(10).fill({ ok: true }),
    });
    expect(given(pasidDecider, enabled).when(enable))
      .toEqual(refuse({ kind: 'capability-enabled', name: 'pasid', ...key }));
  });

  it('is not enabled where the guest could not use it, and the checklist says why', () => {
    const narrow = { ...enable, platform: { ...enable.platform, viommuSsidBits: 7 } };
    const refused = given(pasidDecider).when(narrow);
    expect(refused).toMatchObject({ ok: false, refusal: { kind: 'pasid-unusable' } });
    const { checks } = (refused as { refusal: { checks: readonly { check: string; ok: boolean }[] } }).refusal;
    expect(checks).toHaveLength(10);
    expect(checks.filter((one) => !one.ok)).toEqual([
      { check: 'width-fits-viommu', ok: false, widthBits: 8, viommuSsidBits: 7 },
    ]);
  });

  it('is disabled only when nothing is attached', () => {
    const disable: PasidCommand = { kind: 'disable-pasid', key };
    expect(given(pasidDecider).when(disable))
      .toEqual(refuse({ kind: 'capability-not-enabled', name: 'pasid', ...key }));
    expect(given(pasidDecider, enabled, attached(3)).when(disable))
      .toEqual(refuse({ kind: 'pasids-attached', count: 1, ...key }));
    const after = given(pasidDecider, enabled, { type: 'PasidDisabled', schema: 1 });
    expect(given(pasidDecider, enabled).when(disable)).toEqual(ok([{ type: 'PasidDisabled', schema: 1 }]));
    expect(after.state).toEqual(pasidDecider.initial);
  });

  it('tells which physical function it uses', () => {
    const pri: PasidEvent = { type: 'PriEnabled', schema: 1, by: 'iommu-driver', physicalFunction: pf };
    expect(sharedUses(given(pasidDecider, enabled, pri).state)).toEqual([['pasid', pf], ['pri', pf]]);
    expect(sharedUses(given(pasidDecider, { ...enabled, physicalFunction: null } as PasidEvent).state)).toEqual([]);
  });
});

describe('a PASID', () => {
  it('is attached with what was asked for and what came back', () => {
    const command: PasidCommand = {
      kind: 'attach-pasid', key, pasid: seven, requested: { kind: 'ioas', ptId: 4 },
      answer: { kind: 'done', resultingPtId: 9, hwptFlags: ['fault-id-valid', 'pasid'], faultId: 12 },
    };
    expect(given(pasidDecider, enabled).when(command)).toEqual(ok([{
      type: 'PasidAttached', schema: 1, pasid: seven, requested: { kind: 'ioas', ptId: 4 }, resultingPtId: 9,
      hwptFlags: ['fault-id-valid', 'pasid'], faultId: 12,
    }]));
  });

  it('that is attached again is replaced, and the event says what was there', () => {
    expect(given(pasidDecider, enabled, attached(3)).when(attach(7, 4)))
      .toEqual(ok([{ type: 'PasidReplaced', schema: 1, pasid: seven, ...table(4), replaced: table(3) }]));
  });

  it('is not attached before PASID is enabled', () => {
    expect(given(pasidDecider).when(attach(7, 3)))
      .toEqual(refuse({ kind: 'capability-not-enabled', name: 'pasid', ...key }));
  });

  it('lies within the enabled width, and is not the 0 of requests without one', () => {
    const inside = Array.from({ length: 300 }, (_, pasid) => pasid)
      .filter((pasid) => given(pasidDecider, enabled).when(attach(pasid, 3)).ok);
    expect([inside[0], inside.at(-1), inside.length]).toEqual([1, 255, 255]);
    expect(given(pasidDecider, enabled).when(attach(256, 3)))
      .toEqual(refuse({ kind: 'pasid-out-of-range', pasid: 256, least: 1, most: 255, widthBits: 8 }));
  });

  it.each(['hwpt', 'ioas'] as const)('is not attached to a page table without the PASID flag, by a %s', (kind) => {
    const command: PasidCommand = {
      kind: 'attach-pasid', key, pasid: seven, requested: { kind, ptId: kind === 'hwpt' ? 3 : 1 },
      answer: { kind: 'done', resultingPtId: 3, hwptFlags: ['nest-parent'], faultId: null },
    };
    expect(given(pasidDecider, enabled).when(command))
      .toEqual(refuse({ kind: 'hwpt-without-pasid', pasid: seven, ptId: 3, hwptFlags: ['nest-parent'] }));
  });

  it('is detached; and one that was not attached is, too', () => {
    expect(given(pasidDecider, enabled, attached(3)).when(detach(7)))
      .toEqual(ok([{ type: 'PasidDetached', schema: 1, pasid: seven, was: table(3) }]));
    const nothing: Result<readonly PasidEvent[], never> =
      ok([{ type: 'PasidDetached', schema: 1, pasid: seven, was: null }]);
    expect(given(pasidDecider, enabled).when(detach(7))).toEqual(nothing);
    expect(given(pasidDecider).when(detach(7))).toEqual(nothing);
  });

  it('stays what it was when the kernel refuses, and the error is recorded', () => {
    const before = given(pasidDecider, enabled, attached(3));
    for (const [command, requested] of [[attach(7, 4), { kind: 'hwpt', ptId: 4 }], [detach(7), null]] as const) {
      const failed = { ...command, answer: { kind: 'failed', errno: 'EBUSY' } } as PasidCommand;
      const events = sure(before.when(failed));
      expect(events).toEqual([{
        type: 'PasidOperationFailed', schema: 1, operation: command.kind === 'attach-pasid' ? 'attach' : 'detach',
        pasid: seven, requested, errno: 'EBUSY',
      }]);
      expect(given(pasidDecider, enabled, attached(3), ...events).state).toEqual(before.state);
    }
  });

  it('can fail before PASID is enabled: a driver without support says EOPNOTSUPP', () => {
    const failed = { ...attach(7, 3), answer: { kind: 'failed', errno: 'EOPNOTSUPP' } } as PasidCommand;
    expect(given(pasidDecider).when(failed)).toMatchObject({ ok: true, value: [{ type: 'PasidOperationFailed' }] });
  });

  it.each(resetCauses)('goes with all others on %s, in one event, and PASID is disabled', (cause) => {
    const all = given(pasidDecider, enabled, ...sure(given(pasidDecider, enabled).when(attach(8, 3))), attached(3));
    const events = sure(all.when({ kind: 'reset-pasids', key, cause }));
    expect(events).toEqual([{ type: 'PasidsDetached', schema: 1, cause, count: 2 }]);
    expect(given(pasidDecider, enabled, attached(3), ...events).state).toEqual(pasidDecider.initial);
    expect(given(pasidDecider).when({ kind: 'reset-pasids', key, cause }))
      .toEqual(ok([{ type: 'PasidsDetached', schema: 1, cause, count: 0 }]));
  });
});

describe('ATS and PRI', () => {
  const step = (kind: 'enable-ats' | 'disable-ats' | 'enable-pri' | 'disable-pri'): PasidCommand =>
    ({ kind, key, physicalFunction: pf });
  const by = 'iommu-driver';

  it('are enabled and disabled by the IOMMU driver, ATS first and last', () => {
    const events: PasidEvent[] = [];
    for (const kind of ['enable-ats', 'enable-pri', 'disable-pri', 'disable-ats'] as const) {
      events.push(...sure(given(pasidDecider, ...events).when(step(kind))));
    }
    expect(events).toEqual([
      { type: 'AtsEnabled', schema: 1, by }, { type: 'PriEnabled', schema: 1, by, physicalFunction: pf },
      { type: 'PriDisabled', schema: 1, by }, { type: 'AtsDisabled', schema: 1, by },
    ]);
    expect(given(pasidDecider, ...events).state).toEqual(pasidDecider.initial);
  });

  it('are refused in any other order', () => {
    const ats: PasidEvent = { type: 'AtsEnabled', schema: 1, by };
    const pri: PasidEvent = { type: 'PriEnabled', schema: 1, by, physicalFunction: null };
    const refusals = [
      given(pasidDecider).when(step('enable-pri')), given(pasidDecider).when(step('disable-ats')),
      given(pasidDecider).when(step('disable-pri')), given(pasidDecider, ats).when(step('enable-ats')),
      given(pasidDecider, ats, pri).when(step('enable-pri')), given(pasidDecider, ats, pri).when(step('disable-ats')),
    ];
    expect(refusals.map((one) => (one.ok ? 'done' : `${one.refusal.kind} ${(one.refusal as { name: string }).name}`)))
      .toEqual([
        'capability-not-enabled ats', 'capability-not-enabled ats', 'capability-not-enabled pri',
        'capability-enabled ats', 'capability-enabled pri', 'capability-enabled pri',
      ]);
  });
});

describe(`any history of PASIDs (CADASTRE_SEED=${seed})`, () => {
  const anyCommand: fc.Arbitrary<PasidCommand> = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constantFrom(0, 1, 2, 254, 255, 256), fc.nat(3))
      .map(([pasid, ptId]) => attach(pasid, ptId)) },
    { weight: 3, arbitrary: fc.constantFrom(1, 2, 254, 256).map(detach) },
    { weight: 2, arbitrary: fc.constant(enable) },
    fc.constant<PasidCommand>({ kind: 'disable-pasid', key }),
    fc.constantFrom(...resetCauses).map((cause): PasidCommand => ({ kind: 'reset-pasids', key, cause })),
    fc.constantFrom(1, 2).map((pasid) =>
      ({ ...attach(pasid, 9), answer: { kind: 'failed', errno: 'ENOMEM' } }) as PasidCommand),
  );

  /** What a map and a flag make of a command; undefined when it has to be refused. */
  function model(command: PasidCommand, map: Map<number, number>, isOn: boolean): boolean | undefined {
    switch (command.kind) {
      case 'enable-pasid': return isOn ? undefined : true;
      case 'disable-pasid': return isOn && map.size === 0 ? false : undefined;
      case 'reset-pasids': map.clear(); return false;
      case 'detach-pasid': map.delete(command.pasid); return isOn;
      case 'attach-pasid': {
        if (command.answer.kind === 'failed') return isOn;
        if (!isOn || command.pasid < 1 || command.pasid > 255) return undefined;
        map.set(command.pasid, command.requested.ptId);
        return isOn;
      }
      default: throw new Error(command.kind);
    }
  }

  it('is that of a map and a flag; what is attached lies within the width, and nothing is while it is off', () => {
    fc.assert(fc.property(fc.array(anyCommand, { maxLength: 60 }), (commands) => {
      const map = new Map<number, number>();
      let isOn = false;
      let state: PasidState = pasidDecider.initial;
      for (const command of commands) {
        const expected = model(command, map, isOn);
        const decision = pasidDecider.decide(command, state);
        expect(decision.ok).toBe(expected !== undefined);
        isOn = expected ?? isOn;
        if (decision.ok) state = fold(pasidDecider, decision.value, state);
        expect([state.enabled !== null, state.attached.count]).toEqual([isOn, map.size]);
        if (!state.enabled) expect(state.attached).toEqual(PasidTable.empty);
      }
      expect(PasidTable.page(state.attached, -1, 1_000).map(([pasid, { requested: { ptId } }]) => [pasid, ptId]))
        .toEqual([...map].sort(([one], [other]) => one - other));
    }), { seed, numRuns: 500 });
  });
});
