import { Model } from './model.js';

describe('a model', () => {
  it('is written as lspci -n writes it', () => {
    expect(Model.of(0x8086, 0x1)).toBe('8086:0001');
  });

  it.each(['8086:10D3', '8086', '8086:10d3:', ' 8086:10d3', '0x8086:10d3'])('is not %j', (given) => {
    expect(Model.is(given)).toBe(false);
  });
});
