import { ok, refuse } from '@cadastre/config-space';
import { MigrationId, VmId } from '../name.js';
import { given, sure } from '../testing.js';
import { vmDecider, type VmEvent } from './vm-decider.js';

const vm = sure(VmId.from('vm-1'));
const [first, second] = ['m-1', 'm-2'].map((name) => sure(MigrationId.from(name))) as [MigrationId, MigrationId];
const held: VmEvent = { type: 'VmHeld', schema: 1, vm, migration: first };
const released: VmEvent = { type: 'VmReleased', schema: 1, vm, migration: first };

describe('a VM', () => {
  it('is held by one migration at a time', () => {
    expect(given(vmDecider).when({ kind: 'hold-vm', vm, migration: first })).toEqual(ok([held]));
    expect(given(vmDecider, held).when({ kind: 'hold-vm', vm, migration: second }))
      .toEqual(refuse({ kind: 'vm-held', vm, migration: first }));
    expect(given(vmDecider, held, released).when({ kind: 'hold-vm', vm, migration: second }))
      .toMatchObject({ ok: true });
  });

  it('takes and gives no device while it is held', () => {
    expect(given(vmDecider).when({ kind: 'change-devices', vm })).toEqual(ok([]));
    expect(given(vmDecider, held).when({ kind: 'change-devices', vm }))
      .toEqual(refuse({ kind: 'vm-held', vm, migration: first }));
    expect(given(vmDecider, held, released).when({ kind: 'change-devices', vm })).toEqual(ok([]));
  });

  it('is released by the migration that holds it and by no other', () => {
    expect(given(vmDecider, held).when({ kind: 'release-vm', vm, migration: first })).toEqual(ok([released]));
    expect(given(vmDecider, held).when({ kind: 'release-vm', vm, migration: second })).toEqual(ok([]));
    expect(given(vmDecider).when({ kind: 'release-vm', vm, migration: first })).toEqual(ok([]));
  });
});
