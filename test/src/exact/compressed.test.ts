import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import { GRADIENT_COMPRESSIONS, type GradientCompression } from '@tutti/protocol';
import { regression } from '../programs/regression.js';
import { type SimulationInit, simulate } from '../simulation/cluster.js';

/** Several groups of elements, the last one not whole. */
const program = (gradientCompression?: GradientCompression) =>
  regression({
    features: 1_530,
    epochs: 1,
    ...(gradientCompression === undefined ? {} : { gradientCompression }),
  });

const digestAlone = async (to?: GradientCompression) =>
  (await runLocal(program(to), { workers: 0 }).result).digest;

const simulated = async (to: GradientCompression | undefined, init: Partial<SimulationInit>) =>
  (await simulate({ program: program(to), workers: 8, seed: 1, ...init })).result;

describe('compressed gradients', () => {
  for (const to of GRADIENT_COMPRESSIONS)
    it(`of ${to} give one digest for any number of workers and servers, and when all is computed twice`, async () => {
      const expected = await digestAlone(to);
      assert.notEqual(expected, await digestAlone());
      const servers = { servers: 3, settings: { chunkFloats: 512 } };
      // Other groups, so other bits.
      const cut = (await runLocal(program(to), { workers: 0, chunkFloats: 512 }).result).digest;
      for (const workers of [1, 2, 3, 8]) {
        assert.equal((await simulated(to, { workers })).digest, expected, `${workers} workers`);
        assert.equal((await simulated(to, { workers, ...servers })).digest, cut);
      }
      assert.equal((await simulated(to, { workers: 3, verify: 1 })).digest, expected);
    });

  it('are what --gradient-compression says, also where the program says otherwise', async () => {
    const settings = { gradientCompression: 'none' } as const;
    assert.equal((await simulated('int8', { settings })).digest, await digestAlone());
    const alone = runLocal(program(), { workers: 0, gradientCompression: 'fp16' });
    assert.equal((await alone.result).digest, await digestAlone('fp16'));
  });

  it('take fewer bytes on the way to the sum; the weights come back whole', async () => {
    const bytes = async (to: GradientCompression | undefined, workers: number) =>
      (await simulated(to, { workers })).wireBytesPerStep / workers;
    const whole = await bytes(undefined, 8);
    // 4 of 8 bytes an element go up.
    const saved = async (to: GradientCompression, workers: number) =>
      (whole - (await bytes(to, workers))) / (4 * 1_531);
    assert.ok((await saved('int8', 8)) > 0.7);
    assert.ok((await saved('bf16', 8)) > 0.45);
    assert.ok((await saved('fp16', 8)) > 0.45);
    // Sums of two shards each: whole numbers still.
    assert.ok((await saved('int8', 4)) > 0.45);
  });
});
