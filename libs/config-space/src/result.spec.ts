import { ok, refuse } from './result.js';

describe('Result', () => {
  it('is a value or a refusal, told apart by `ok`', () => {
    expect(ok(1)).toEqual({ ok: true, value: 1 });
    expect(refuse('no')).toEqual({ ok: false, refusal: 'no' });
  });
});
