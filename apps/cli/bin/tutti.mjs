#!/usr/bin/env node
// Not a file that is built: npm links a command only if it is there when it installs.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  process.stderr.write('error: Tutti is not built\n  Run `npm run setup` in its checkout.\n');
  process.exitCode = 1;
}
