import { cadastre, LedgerProcess, temporaryDirectory } from './ledger-process.js';
import { sampleLook } from './samples.js';

/** 400 blocks of 1 KiB; the signal for it is ignored, so that the write fails instead. */
const onASmallDisk = ['bash', '-c', 'ulimit -f 400; trap "" XFSZ; exec "$@"', '-'];

describe('a ledger whose disk takes no more', () => {
  it('says that the outcome is unknown, ends with 74, and is whole when it is back', async () => {
    const directory = temporaryDirectory();
    // The limit on file size is a real one: write(2) fails with EFBIG where a full disk fails with ENOSPC.
    const ledger = await LedgerProcess.start(directory.path, 'serve', onASmallDisk);
    const ended = ledger.ended();
    const acknowledged: number[] = [];
    const refused: { status: number; body: unknown }[] = [];
    let next = 0;
    // Sixteen clients at once: each of them is told, not only the first.
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (;;) {
        const look = next++;
        const reply = await ledger.post('/v1/functions', `look-${look}`, sampleLook('nvme-vf.lspci', `host-${look}`));
        if (reply.status !== 201) return refused.push(reply);
        acknowledged.push(look);
      }
    }));
    expect(refused).toHaveLength(16);
    for (const one of refused) {
      expect(one).toMatchObject({ status: 503, body: { code: 'outcome-unknown', outcome: 'unknown' } });
    }
    expect(await ended).toBe(74);

    const again = await LedgerProcess.start(directory.path);
    for (const look of acknowledged) {
      expect((await again.get(`/v1/functions/host-${look}/0000:01:00.2`)).status).toBe(200);
    }
    const more = await again.post('/v1/functions', `look-${next}`, sampleLook('nvme-vf.lspci', `host-${next}`));
    expect(more.status).toBe(201);
    await again.stop('SIGTERM');
    expect(cadastre(['replay', '--data', directory.path]).status).toBe(0);
    directory.remove();
  });
});
