/**
 * Removes from `dist`, of the package in the current folder, what was compiled of files that are there
 * no more: `tsc` leaves it, so it would be packed, and imports of moved files would still be found.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const COMPILED = /(?:\.d\.ts|\.js)(?:\.map)?$/;

const outputs = existsSync('dist') ? readdirSync('dist', { recursive: true }) : [];
for (const output of outputs) {
  if (!COMPILED.test(output)) continue;
  const source = join('src', output.replace(COMPILED, '.ts'));
  if (!existsSync(source)) rmSync(join('dist', output));
}
