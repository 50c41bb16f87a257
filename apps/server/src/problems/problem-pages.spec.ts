import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { TestServer } from '../testing.js';
import { problemCodes } from './problems.controller.js';

const pages = new URL('../../../../docs/problems/', import.meta.url);

describe('problem pages', () => {
  it.each(problemCodes)('%s says what happened and what to do next', (code) => {
    const page = new URL(`${code}.md`, pages);
    expect(existsSync(page)).toBe(true);
    const text = readFileSync(page, 'utf8');
    expect(text.startsWith(`# ${code}\n`)).toBe(true);
    expect(text).toMatch(/^## What happened$/m);
    expect(text).toMatch(/^## What to do$/m);
  });

  it('has no page of a problem that cannot happen', () => {
    const known = [...problemCodes.map((code) => `${code}.md`), 'README.md'];
    expect(readdirSync(pages).filter((name) => !known.includes(name))).toEqual([]);
  });

  it('serves the page a problem points to', async () => {
    const server = await TestServer.open();
    const reply = await server.get('/problems/no-place');
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'text/markdown; charset=utf-8']);
    expect(reply.text).toContain('# no-place');
    expect((await server.get('/problems/..%2f..%2fpackage')).status).toBe(404);
    await server.close();
  });
});
