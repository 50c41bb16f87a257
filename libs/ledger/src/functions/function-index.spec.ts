import { MemoryEventStore } from '@cadastre/event-store';
import { deviceKey, endpoint, functionKey, TestLedger } from '../testing.js';
import { FunctionIndex } from './function-index.js';

const addresses = ['0000:01:00.0', '0000:02:00.0', '0000:03:00.0', '0000:04:00.0'];

async function filled(): Promise<{ ledger: TestLedger; index: FunctionIndex }> {
  const store = new MemoryEventStore();
  const ledger = await TestLedger.open(store);
  for (const address of [...addresses].reverse()) await ledger.observe(address, functionKey(address));
  return { ledger, index: new FunctionIndex(store) };
}

describe('the list of functions', () => {
  it('is in order of host and address, in pages that leave nothing out', async () => {
    const { index } = await filled();
    const first = await index.page('', 3);
    expect(first.rows.map((row) => row.key.address)).toEqual(addresses.slice(0, 3));
    expect(first.more).toBe(true);
    const rest = await index.page('function-host-a/0000:03:00.0', 3);
    expect(rest.rows.map((row) => row.key.address)).toEqual(addresses.slice(3));
    expect(rest.more).toBe(false);
  });

  it('follows the log: what was recorded before the question is in the answer', async () => {
    const { ledger, index } = await filled();
    await index.page('', 10);
    await ledger.attach('a', deviceKey(), functionKey('0000:02:00.0'));
    await ledger.observe('new', functionKey('0000:02:00.0'), endpoint(0x77));
    const { rows } = await index.page('', 10);
    expect(rows[1]).toEqual({
      key: functionKey('0000:02:00.0'), revision: 3, vendorId: 0x1af4, deviceId: 0x77, classCode: 0x020000,
      role: 'none', pf: null, claim: deviceKey(), isRetired: false,
    });
  });

  it('asked many times at once folds every event once', async () => {
    const { index } = await filled();
    const pages = await Promise.all(Array.from({ length: 20 }, () => index.page('', 10)));
    for (const page of pages) expect(page.rows.map((row) => row.revision)).toEqual([1, 1, 1, 1]);
  });

  it('equals one that is rebuilt from the beginning', async () => {
    const { ledger, index } = await filled();
    await index.page('', 10);
    await ledger.attach('a', deviceKey(), functionKey('0000:01:00.0'));
    await index.page('', 10);
    await ledger.detach('d');
    expect(await index.page('', 10)).toEqual(await new FunctionIndex(ledger.store).page('', 10));
  });
});
