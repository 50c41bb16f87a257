import { InvalidArgumentError } from 'commander';

/** A TCP port, 0..65535. */
export function portOf(given: string): number {
  const port = Number(given);
  if (/^\d{1,5}$/.test(given) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
}

/** `maxPasidLog2`, 0..20. */
export function pasidLog2Of(given: string): number {
  const width = Number(given);
  if (/^\d{1,2}$/.test(given) && width <= 20) return width;
  throw new InvalidArgumentError('A PASID width is a whole number of bits from 0 to 20.');
}
