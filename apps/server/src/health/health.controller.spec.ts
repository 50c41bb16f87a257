import { TestServer } from '../testing.js';

describe('health', () => {
  it('tells that the process runs and that the ledger takes writes', async () => {
    const server = await TestServer.open();
    expect((await server.get('/healthz')).body).toEqual({ status: 'ok' });
    expect((await server.get('/readyz')).body).toEqual({ status: 'ready' });
    await server.close();
  });

  it('is not ready once the store takes no writes, while the process is still healthy', async () => {
    const server = await TestServer.open();
    await server.store.close();
    expect((await server.get('/readyz')).body).toMatchObject({ status: 503, code: 'not-ready' });
    expect((await server.get('/healthz')).status).toBe(200);
    await server.close();
  });

  it('keeps the trace id a caller sent', async () => {
    const server = await TestServer.open();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect((await server.get('/nothing', { traceparent })).body['traceId']).toBe('0af7651916cd43dd8448eb211c80319c');
    await server.close();
  });
});
