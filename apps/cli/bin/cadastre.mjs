#!/usr/bin/env -S node --min-semi-space-size=64 --max-semi-space-size=64
// Room for young objects, in MiB: what a request or a page of a replay makes is mostly dead before it is full, where
// Node's own 16 MiB keep moving it. Measured: a replay takes a fifth less time.
// Plain JavaScript that any Node reads: it says what to do where the rest could not even be parsed.
import { existsSync } from 'node:fs';

const least = [24, 9];
const [major, minor] = process.versions.node.split('.').map(Number);
const main = new URL('../dist/main.js', import.meta.url);
if (major < least[0] || (major === least[0] && minor < least[1])) {
  console.error(`cadastre needs Node ${least.join('.')} or newer; this is ${process.version}.`);
  console.error('Run it through npm in the workspace (npx cadastre ...), which brings its own Node 26.');
  process.exit(2);
} else if (!existsSync(main)) {
  console.error('cadastre is not built yet. In the workspace: npm run build (npm start does it too).');
  process.exit(2);
} else {
  await import(main.href);
}
