import { type Bdf } from '../bdf.js';
import { buildConfigSpace } from '../testing/build-config-space.js';
import { type Capture } from './capture.js';
import { readLspciText } from './read-lspci-text.js';
import { writeLspciText } from './write-lspci-text.js';

const capture = (address: string, title: string, capturedBytes = 4096): Capture => ({
  address: address as Bdf,
  title,
  space: buildConfigSpace({ extended: [{ id: 3, offset: 0x100 }], capturedBytes }),
});

describe('written text', () => {
  it('is an address, rows of 16 bytes, an empty line between functions; segment 0000 is left out', () => {
    const lines = writeLspciText([capture('0000:00:1f.3', 'Audio', 64), capture('0001:02:00.0', '', 72)]).split('\n');
    expect(lines).toEqual([
      '00:1f.3 Audio',
      '00: f4 1a 41 10 00 00 00 00 00 00 00 02 00 00 00 00',
      '10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00',
      '20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00',
      '30: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00',
      '',
      '0001:02:00.0 ',
      '00: f4 1a 41 10 00 00 00 00 00 00 00 02 00 00 00 00',
      '10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00',
      '20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00',
      '30: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00',
      '40: 00 00 00 00 00 00 00 00',
      '',
    ]);
  });

  it('is read back as it was: addresses, titles, bytes, captured lengths', () => {
    const captures = [
      capture('0000:00:1f.3', 'Audio device: Intel "PCH" (rev 01)'), capture('0001:02:00.0', ' indented', 272),
      capture('10000:e1:00.0', '', 64), capture('0000:ff:1f.7', 'Gerät 1', 256),
    ];
    const back = readLspciText(writeLspciText(captures));
    expect(back).toEqual({ ok: true, value: captures });
  });

  it('keeps a title on its line: a line break in it cannot begin another function', () => {
    const text = writeLspciText([capture('0000:00:00.0', 'a\n01:00.0 b\r\nc', 64)]);
    const back = readLspciText(text);
    expect(back.ok && back.value.map(({ address, title }) => [address, title]))
      .toEqual([['0000:00:00.0', 'a 01:00.0 b c']]);
  });
});
