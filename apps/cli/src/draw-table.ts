import Table from 'cli-table3';
import stringWidth from 'string-width';

/** Rows that are drawn at once: cli-table3 compares every cell with every row, 10,000 rows took it five seconds. */
const rowsAtOnce = 50;

const plain = {
  chars: {
    top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '',
    'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
  },
  style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
};
const lined = { style: { 'padding-left': 1, 'padding-right': 1, head: [], border: [] } };

// Where one piece of a table with lines meets the next, the next one's top is a line between rows.
const endsOpen = { bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' };
const goesOn = { 'top-mid': '┼', 'top-left': '├', 'top-right': '┤' };

/** A table with lines, or columns of plain text. Its time grows with its rows. */
export function drawTable(
  head: readonly string[], rows: readonly (readonly string[])[], style: 'lined' | 'plain',
): string {
  const options = style === 'lined' ? lined : plain;
  const padding = style === 'lined' ? 2 : 0;
  const colWidths = head.map((name, column) =>
    rows.reduce((width, row) => Math.max(width, widthOf(row[column] ?? '')), widthOf(name)) + padding);
  const pieces: string[] = [];
  for (let first = 0; first === 0 || first < rows.length; first += rowsAtOnce) {
    const isLast = first + rowsAtOnce >= rows.length;
    const chars = style === 'plain' ? plain.chars : { ...(first === 0 ? {} : goesOn), ...(isLast ? {} : endsOpen) };
    const piece = new Table({ ...options, chars, colWidths, head: first === 0 ? [...head] : [] });
    piece.push(...rows.slice(first, first + rowsAtOnce).map((row) => [...row]));
    pieces.push(piece.toString());
  }
  return pieces.join('\n').replace(/ +$/gm, '');
}

function widthOf(text: string): number {
  return text.split('\n').reduce((width, line) => Math.max(width, stringWidth(line)), 0);
}
