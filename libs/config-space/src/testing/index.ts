export {
  buildConfigSpace, type ConfigSpaceParts, express, type ExpressParts, type ExtendedEntry, extendedHeader,
  type StandardEntry, u16, u32,
} from './build-config-space.js';
export { expectSound } from './expect-sound.js';
