#!/usr/bin/env node
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
