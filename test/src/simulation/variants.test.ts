import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { VARIANTS } from './variants.js';

/** The compiled simulation, since a variant changes compiled modules. */
const main = new URL('../../dist/simulation/main.js', import.meta.url).pathname;

/** Seconds: a broken cluster may go round for ever. */
const PATIENCE = 60;

function isCaught(name: string, seeds: string): boolean {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [main, '--seeds', seeds, '--variant', name],
    { encoding: 'utf8', timeout: PATIENCE * 1000 },
  );
  assert.equal(stderr, '', `variant "${name}"`);
  return /^seed \d+ violates/m.test(stdout);
}

/** `npm run simulate -- --variants` does the same from seed 1, without a hint. */
describe('the simulation notices when the product is broken:', function () {
  this.timeout(4 * PATIENCE * 1000);
  for (const { name, what, seed } of VARIANTS)
    it(what, () => {
      const hinted = seed !== undefined && isCaught(name, `${seed}`);
      assert.ok(hinted || isCaught(name, '1..1000'), `"${name}" passed 1,000 seeds`);
    });
});
