import { type Bdf, ConfigSpace, type NotADump, readHexText, readLspciText } from '@cadastre/config-space';
import { EdgeProblem } from '../problems/edge-problem.js';
import { type ConfigSpaceDto } from './observe-function.dto.js';

const dataAt = '/configSpace/data';
const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * The config space a request carries. Refuses what cannot be read, with the place, and every size but 256 and 4096.
 * @param within where in the request the function is
 */
export function readConfigSpace({ encoding, data }: ConfigSpaceDto, address: Bdf, within = ''): ConfigSpace {
  const pointer = `${within}${dataAt}`;
  switch (encoding) {
    case 'lspci': return fromLspci(data, address, pointer);
    case 'hex': {
      const bytes = readHexText(data);
      if (!bytes.ok) throw unreadable(bytes.refusal, pointer);
      return whole(bytes.value, pointer);
    }
    case 'base64': {
      const compact = data.replace(/\s/g, '');
      if (compact.length % 4 !== 0 || !base64Pattern.test(compact)) {
        throw new EdgeProblem('config-space-unreadable', `${pointer} is not base64`, [
          { pointer, detail: 'not base64', limit: 'RFC 4648 with padding' },
        ]);
      }
      return whole(Buffer.from(compact, 'base64'), pointer);
    }
  }
}

/** Hex digits and bytes have no address; of text the first function is meant. */
export function firstAddress({ encoding, data }: ConfigSpaceDto): string {
  const captures = encoding === 'lspci' ? readLspciText(data) : undefined;
  return (captures?.ok === true ? captures.value[0]?.address : undefined) ?? '0000:00:00.0';
}

function fromLspci(data: string, address: Bdf, pointer: string): ConfigSpace {
  const captures = readLspciText(data);
  if (!captures.ok) throw unreadable(captures.refusal, pointer);
  const [capture, twin] = captures.value.filter((one) => one.address === address);
  if (twin) {
    throw new EdgeProblem('config-space-unreadable', `the text has ${address} more than once`, [
      { pointer, detail: 'the function is in the text more than once', value: address, limit: 'once' },
    ]);
  }
  if (!capture) {
    const seen = captures.value.slice(0, 8).map((one) => one.address).join(', ');
    throw new EdgeProblem('config-space-unreadable', `the text has ${seen}, not ${address}`, [
      { pointer, detail: 'the function is not in the text', value: seen, limit: address },
    ]);
  }
  return whole(capture.space.toBytes(), pointer);
}

function whole(bytes: Uint8Array, pointer: string): ConfigSpace {
  const space = ConfigSpace.from(bytes);
  if (space.ok) return space.value;
  const { sizeBytes, limit } = space.refusal;
  throw new EdgeProblem('config-space-unreadable', `${pointer} holds ${sizeBytes} bytes; allowed is ${limit}`, [
    { pointer, detail: 'wrong size', value: sizeBytes, limit },
  ]);
}

function unreadable({ line, column, problem }: NotADump, pointer: string): EdgeProblem {
  const detail = `line ${line}, column ${column}: ${problem}`;
  return new EdgeProblem('config-space-unreadable', `${pointer}, ${detail}`, [
    { pointer, detail, value: `line ${line}, column ${column}`, limit: 'text as lspci -xxxx prints it, or hex digits' },
  ]);
}
