import Table from 'cli-table3';
import { drawTable } from './draw-table.js';

const head = ['device', 'state', ''];
const rowsOf = (count: number): string[][] => Array.from({ length: count }, (_, index) =>
  [`vm-${index}/d`, index % 7 === 0 ? '装置' : 'attached', index % 11 === 0 ? 'two\nlines' : `${index}`]);

/** The same by the library in one go. */
const whole = (rows: string[][]): string => {
  const table = new Table({ head, style: { head: [], border: [] } });
  table.push(...rows);
  return table.toString().replace(/ +$/gm, '');
};

describe('a table', () => {
  it.each([0, 1, 49, 50, 51, 100, 137])('of %i rows is drawn in pieces nobody sees', (count) => {
    expect(drawTable(head, rowsOf(count), 'lined')).toBe(whole(rowsOf(count)));
  });

  it('without lines has columns two spaces apart, as wide as their widest cell', () => {
    const lines = drawTable(head, rowsOf(120), 'plain').split('\n');
    expect(lines[0]).toBe('device    state');
    expect(lines.filter((line) => line.startsWith('vm-7/') || line.startsWith('vm-119/')))
      .toEqual(['vm-7/d    装置      7', 'vm-119/d  装置      119']);
    expect(lines).toHaveLength(1 + 120 + 11);
  });

  it('keeps colours out of its widths', () => {
    expect(drawTable(['\u001b[1mname\u001b[22m', 'of'], [['a', 'b']], 'plain'))
      .toBe('\u001b[1mname\u001b[22m  of\na     b');
  });
});
