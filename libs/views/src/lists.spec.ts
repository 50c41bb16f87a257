import fc from 'fast-check';
import { Bdf } from '@cadastre/config-space';
import { deviceStream, functionStream } from '@cadastre/lifecycle';
import { anyHistory, seed } from '../test/random-steps.js';
import { CapabilityName } from './capability-name.js';
import { type DeviceRow, deviceVerdicts } from './device-row.js';
import { type FunctionRow } from './function-row.js';
import { type DeviceFilter, type FunctionFilter, mergedKindsMax } from './list-query.js';
import { Model } from './model.js';
import { functionKey, sure, TestLog } from './testing.js';
import { inMemory } from './view-file.js';
import { type Listed, Views, type VmRow } from './views.js';

const silent = (): void => undefined;
const models = ['1af4:1041', '1af4:1042', '1af4:154c', 'ffff:ffff'].filter(Model.is);
const capabilities = ['aer', 'msix', 'pasid', 'dsn', 'sriov', 'tph'].filter(CapabilityName.is);
const vms = ['vm', 'vm-1', 'vm.1', 'vm0', 'v'];
const hosts = ['host-a', 'host-b', 'host'];

const anyFunctionFilter: fc.Arbitrary<FunctionFilter> = fc.record({
  host: fc.constantFrom(...hosts), vm: fc.constantFrom(...vms), model: fc.constantFrom(...models),
  capability: fc.constantFrom(...capabilities), claimed: fc.boolean(),
}, { requiredKeys: [] });

const anyDeviceFilter = (digests: readonly string[]): fc.Arbitrary<DeviceFilter> => fc.record({
  vm: fc.constantFrom(...vms), host: fc.constantFrom(...hosts), model: fc.constantFrom(...models),
  capability: fc.constantFrom(...capabilities), state: fc.constantFrom('attached' as const, 'detached' as const),
  layoutDigest: fc.constantFrom(...digests, 'sha256:none'), verdict: fc.constantFrom(...deviceVerdicts),
}, { requiredKeys: [] });

/** A condition that was not asked for holds. */
const asked = <T>(wanted: T | undefined, actual: T | null | undefined): boolean =>
  wanted === undefined || wanted === actual;

function fitsFunction(row: FunctionRow, { host, vm, model, capability, claimed }: FunctionFilter): boolean {
  return asked(host, row.key.host) && asked(vm, row.claim?.vm) && asked(model, row.model)
    && asked(claimed, row.claim !== null) && (capability === undefined || row.capabilities.includes(capability));
}

function fitsDevice(row: DeviceRow, filter: DeviceFilter): boolean {
  const { vm, host, model, capability, layoutDigest, verdict, state } = filter;
  return asked(vm, row.key.vm) && asked(host, row.function?.host) && asked(model, row.model)
    && asked(layoutDigest, row.layoutDigest) && asked(verdict, row.verdict) && asked(state, row.state)
    && (capability === undefined || row.capabilities.includes(capability));
}

/** All rows, in pages, each behind the last row of the one before. */
async function paged<Row>(
  nameOf: (row: Row) => string, page: (after: string) => Promise<Listed<Row>>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let after = ''; ;) {
    const listed = await page(after);
    if (listed.kind === 'halted') throw new Error(listed.halt.reason);
    rows.push(...listed.rows);
    const last = listed.rows.at(-1);
    if (!listed.more || !last) return rows;
    after = nameOf(last);
  }
}

const functionName = (row: FunctionRow): string => functionStream(row.key);
const deviceName = (row: DeviceRow): string => deviceStream(row.key);

describe(`a filter (CADASTRE_SEED=${seed})`, () => {
  it('of several conditions finds the rows that meet all of them, in pages of any size', async () => {
    await fc.assert(fc.asyncProperty(anyHistory, fc.infiniteStream(fc.nat()), async (steps, numbers) => {
      const log = new TestLog();
      for (const step of steps) await step(log);
      const views = await Views.open(log.store, inMemory, silent);
      const functions = await paged(functionName, (after) => views.functions({}, after, 1_000));
      const devices = await paged(deviceName, (after) => views.devices({}, after, 1_000));
      const digests = devices.flatMap(({ layoutDigest }) => layoutDigest ?? []);
      const filters = { numRuns: 40, seed: Number(numbers.next().value) };
      for (const filter of fc.sample(anyFunctionFilter, filters)) {
        const limit = 1 + numbers.next().value % 4;
        expect({ filter, rows: await paged(functionName, (after) => views.functions(filter, after, limit)) })
          .toEqual({ filter, rows: functions.filter((row) => fitsFunction(row, filter)) });
      }
      for (const filter of fc.sample(anyDeviceFilter(digests), filters)) {
        const limit = 1 + numbers.next().value % 4;
        expect({ filter, rows: await paged(deviceName, (after) => views.devices(filter, after, limit)) })
          .toEqual({ filter, rows: devices.filter((row) => fitsDevice(row, filter)) });
      }
      const counted = await paged(({ vm }: VmRow) => vm, (after) => views.vms(after, 2));
      expect(counted).toEqual([...new Set(devices.map(({ key }) => key.vm))].sort().map((vm) => ({
        vm, devices: devices.filter((row) => row.key.vm === vm).length,
        attached: devices.filter((row) => row.key.vm === vm && row.state === 'attached').length,
      })));
      await views.close();
    }), { seed, numRuns: 25 });
  });
});

describe('a filter that more kinds of functions fit than are merged', () => {
  it('finds the rows that meet it, in order', async () => {
    const log = new TestLog();
    const names = Array.from({ length: mergedKindsMax + 8 }, (_, index) => index.toString(16).padStart(2, '0'));
    for (const name of names) {
      await log.observe(functionKey(`0000:${name}:00.0`), { deviceId: 0x1000 + Number(`0x${name}`), msix: true });
      await log.observe(functionKey(`0000:${name}:00.1`), { deviceId: 0x1041 });
    }
    const views = await Views.open(log.store, inMemory, silent);
    const [msix] = ['msix'].filter(CapabilityName.is);
    const rows = await paged(functionName, (after) => views.functions(msix ? { capability: msix } : {}, after, 7));
    expect(rows.map(({ key }) => key.address)).toEqual(names.map((name) => `0000:${name}:00.0`));
  });
});

describe(`pages (CADASTRE_SEED=${seed})`, () => {
  const anyAddress = fc.record({ bus: fc.nat(255), device: fc.nat(31), function: fc.nat(7) }).map((one) =>
    functionKey(sure(Bdf.from(`${one.bus.toString(16).padStart(2, '0')}:${one.device.toString(16).padStart(2, '0')}.`
      + String(one.function)))));

  it('leave out nothing that was there and repeat nothing, while rows are added', async () => {
    const anyKeys = fc.array(anyAddress, { minLength: 3, maxLength: 12, size: 'max' });
    await fc.assert(fc.asyncProperty(anyKeys, anyKeys, fc.integer({ min: 1, max: 4 }), async (first, added, limit) => {
      const log = new TestLog();
      for (const key of first) await log.observe(key, { deviceId: 0x1041 });
      const views = await Views.open(log.store, inMemory, silent);
      const adding = added.values();
      const seen = (await paged(functionName, async (after) => {
        const key = adding.next().value;
        if (key) await log.observe(key, { deviceId: 0x1041 });
        return views.functions({ model: Model.of(0x1af4, 0x1041) }, after, limit);
      })).map(functionName);
      expect(seen).toEqual([...new Set(seen)].sort());
      expect(first.map(functionStream).filter((name) => !seen.includes(name))).toEqual([]);
      await views.close();
    }), { seed, numRuns: 40 });
  });
});
