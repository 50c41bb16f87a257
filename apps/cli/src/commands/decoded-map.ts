import { type Capture, type Owner, survey } from '@cadastre/config-space';
import { paint } from '../terminal.js';

const rowBytes = 16;

const marks: { readonly [O in Exclude<Owner, 'capability' | 'hidden-capability'>]: string } = {
  'zero': '.',
  'header': '#',
  'unlinked-capability': 'u',
  'unknown-non-zero': '?',
  'not-decoded': 'x',
  'alias': '=',
  'quirk-range': 'q',
  'not-captured': ' ',
};
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Sixteen bytes a row, one mark for each byte's owner; rows of nothing but free bytes are folded. */
export function decodedMap({ address, title, space }: Capture): string {
  const { owners, capabilities } = survey(space);
  const letterOf = new Map(capabilities.map((one, index) => [one, letters.charAt(index % letters.length)]));
  const lines = [`${paint('bold', address)} ${title}`.trimEnd()];
  let folded = false;
  for (let offset = 0; offset < space.size; offset += rowBytes) {
    const row = Array.from({ length: rowBytes }, (_, index) => {
      const { owner, capability } = owners.ownerAt(offset + index);
      if (owner !== 'capability' && owner !== 'hidden-capability') return marks[owner];
      return (capability && letterOf.get(capability)) ?? '*';
    }).join('');
    if (row === '.'.repeat(rowBytes)) {
      if (!folded) lines.push('     ...');
      folded = true;
      continue;
    }
    folded = false;
    lines.push(`${offset.toString(16).padStart(3, '0')}: ${row}`);
  }
  lines.push('', ...capabilities.map((one) => {
    const hidden = one.row.vfio === 'hide' ? ' (hidden by vfio-pci)' : '';
    return `${letterOf.get(one)} ${one.row.name}@${one.offset.toString(16)}${hidden}`;
  }));
  lines.push('# header  . free  ? unknown non-zero  u unlinked capability  x not decoded  = alias  q quirk');
  return lines.join('\n');
}
