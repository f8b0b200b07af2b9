import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runLocal } from '@tutti/launch';

const program = fileURLToPath(new URL('program.ts', import.meta.url));

/** The first 20 steps, kept nowhere. */
async function train(workers: number) {
  const losses: number[] = [];
  const run = runLocal(program, { workers, steps: 20 });
  for await (const event of run) if (event.event === 'step') losses.push(event.loss);
  return { losses, ...(await run.result) };
}

test('it learns, and two workers learn the same as one process, bit for bit', async () => {
  const alone = await train(0);
  assert.ok(alone.losses.at(-1)! < alone.losses[0]!, alone.losses.join(' '));
  const together = await train(2);
  assert.equal(together.digest, alone.digest);
});
