import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ConfigSpace, vfioView } from '@cadastre/config-space';
import { hasObserved, observedFolder, readCaptures, unless } from './corpus.js';

/** Folders that hold both views of one open function; the others were refused by the kernel. */
const folders = hasObserved ? readdirSync(observedFolder).filter((name) => /\.k\d+\.\d+$/.test(name)
  && ['physical', 'vfio'].every((view) => existsSync(join(observedFolder, name, `${view}.lspci`)))) : [];

const spaceOf = (folder: string, view: string): ConfigSpace | undefined =>
  readCaptures(join(observedFolder, folder, `${view}.lspci`))[0]?.space;

/** `40:03>07` for each byte from 0x40 on that the view has wrong. */
function differences(predicted: ConfigSpace, observed: ConfigSpace): readonly string[] {
  if (predicted.size !== observed.size) return [`${predicted.size} bytes, not ${observed.size}`];
  const found: string[] = [];
  for (let at = 0x40; at < observed.size; at += 1) {
    const [ours, theirs] = [predicted.u8(at), observed.u8(at)];
    if (ours !== theirs) found.push(`${at.toString(16)}:${ours.toString(16)}>${theirs.toString(16)}`);
  }
  return found;
}

describe(`the vfio view of the physical space${unless(hasObserved, observedFolder)}`, () => {
  const everyFolder = hasObserved ? it.each(folders) : it.skip.each(['every folder']);

  everyFolder('%s: is the observed one, byte for byte from 0x40 up', (folder) => {
    const physical = spaceOf(folder, 'physical');
    const observed = spaceOf(folder, 'vfio');
    if (physical === undefined || observed === undefined) throw new Error(`no function in ${folder}`);
    const release = folder.slice(folder.lastIndexOf('.k') + 2);
    expect(differences(vfioView(physical, { release, flavour: 'upstream' }).space, observed)).toEqual([]);
  });

  (hasObserved ? it : it.skip)('was compared in more than a hundred folders', () => {
    expect(folders.length).toBeGreaterThan(100);
  });
});
