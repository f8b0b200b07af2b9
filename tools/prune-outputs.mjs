/**
 * Removes from `dist`, of the package in the current folder, what no source of now was compiled to:
 * `tsc` leaves it, so it would be packed, and imports of moved files would still be found.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const COMPILED = /(?:\.d\.ts|\.js)(?:\.map)?$/;

/** What tsc has compiled just now, such as `../src/index.ts`. */
const { fileNames } = JSON.parse(readFileSync(join('dist', '.tsbuildinfo'), 'utf8'));
const sources = new Set(fileNames);
if (!fileNames.some((name) => name.startsWith('../src/')))
  throw new Error(`dist/.tsbuildinfo names no source in src: ${fileNames.slice(0, 3)}`);

for (const output of readdirSync('dist', { recursive: true })) {
  if (!COMPILED.test(output)) continue;
  const source = join('..', 'src', output.replace(COMPILED, '.ts'));
  if (!sources.has(source)) rmSync(join('dist', output));
}
