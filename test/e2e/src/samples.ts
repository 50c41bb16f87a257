import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './ledger-process.js';

interface SampleIndex {
  readonly kernel: object;
  readonly iommu: object;
  readonly functions: readonly { file: string; address: string; role: string; pf: string | null }[];
}

export const sampleIndex = JSON.parse(readFileSync(join(root, 'samples', 'samples.json'), 'utf8')) as SampleIndex;

/** The body that registers a sample, as a function of `host`. */
export function sampleLook(file: string, host = 'host-a'): object {
  const found = sampleIndex.functions.find((one) => one.file === file);
  if (!found) throw new Error(`samples.json has no ${file}`);
  return {
    host, address: found.address, kernel: sampleIndex.kernel, iommu: sampleIndex.iommu,
    sriov: { role: found.role, pf: found.pf },
    configSpace: { encoding: 'lspci', data: readFileSync(join(root, 'samples', file), 'utf8') },
  };
}

export const nvmeVf = {
  function: { host: 'host-a', address: '0000:01:00.2' }, capabilities: [{ name: 'pasid', width: 20 }],
};
