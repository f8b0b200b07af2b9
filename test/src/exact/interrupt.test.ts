import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import type { Aggregation } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { type SimulationInit, simulate } from '../simulation/cluster.js';
import { createMemoryCheckpoints } from '../simulation/memory-checkpoints.js';

const WORKERS = 3;
/** As the coordinator has it. */
const MOST_STEPS_AHEAD = 16;
const PLACES: readonly Aggregation[] = ['coordinator', 'server'];

/** Interrupts a run as soon as its checkpoints are at hand; gives what it left. */
async function interrupted(
  init: Omit<SimulationInit, 'workers'>,
  at: (event: RunEvent) => boolean,
  disturb?: SimulationInit['disturb'],
) {
  const interrupting = new AbortController();
  const checkpoints = createMemoryCheckpoints();
  const run = simulate({
    ...init,
    workers: WORKERS,
    checkpoints: checkpoints.sink,
    interrupt: interrupting.signal,
    onEvent: (event) => at(event) && interrupting.abort(),
    ...(disturb && { disturb }),
  });
  const error: unknown = await run.then(
    () => undefined,
    (thrown) => thrown,
  );
  return { error, checkpoints };
}

const digestOf = async (program: Program) =>
  (await runLocal(program, { workers: 0 }).result).digest;

function assertStopped(error: unknown, step: number): void {
  assert.ok(error instanceof TuttiError, String(error));
  assert.equal(error.code, 'ABORTED');
  assert.deepEqual(error.details, { step, checkpoint: `memory/${step}` });
}

describe('an interrupted run', () => {
  for (const clipNorm of [undefined, 0.5])
    it(`leaves a checkpoint from any step, which gives the digest of the undisturbed run${clipNorm === undefined ? '' : ', with clipping'}`, async () => {
      const optimizer = {
        name: 'adam',
        learningRate: 0.05,
        ...(clipNorm && { clipNorm }),
      } as const;
      // Several chunks, so that some can be applied while others are not.
      const program = regression({ features: 70, examples: 64, batchSize: 16, optimizer });
      const settings = { chunkFloats: 16 };
      const expected = (await runLocal(program, { ...settings, workers: 0 }).result).digest;
      for (let step = 1; step < 8; step++) {
        const place = PLACES[step % 2];
        const { error, checkpoints } = await interrupted(
          { program, settings, servers: 1 + (step % 3), seed: step, aggregation: place },
          (event) => event.event === 'step' && event.step === step,
        );
        const [left] = checkpoints.kept.keys();
        assert.equal(checkpoints.kept.size, 1);
        // Servers may have been permitted more, where no step takes an order.
        const most = place === 'server' && clipNorm === undefined ? MOST_STEPS_AHEAD : 1;
        assert.ok(left! >= step && left! <= step + most, `${left} after ${step}`);
        assertStopped(error, left!);
        const resume = checkpoints.resume();
        // What is left does not tell where the sums were made.
        const aggregation = PLACES[(step >> 1) % 2];
        const init = { program, workers: 2, seed: step, settings, resume, aggregation };
        const { result } = await simulate(init);
        assert.equal(result.digest, expected, `from step ${left}`);
      }
    });

  it('does not wait for workers that were told to end in the same moment', async () => {
    const program = regression();
    let step = 0;
    const { error, checkpoints } = await interrupted(
      { program, seed: 5 },
      (event) => {
        if (event.event === 'step') step = event.step;
        return event.event === 'worker-left';
      },
      (_network, _clock, _join, crew) => {
        if (step === 6) for (const worker of crew) void worker.leave();
      },
    );
    assert.ok(error instanceof TuttiError);
    assert.equal(error.code, 'ABORTED', error.message);
    assert.equal(checkpoints.kept.size, 1);
    const resume = checkpoints.resume();
    const { result } = await simulate({ program, workers: 2, seed: 1, resume });
    assert.equal(result.digest, await digestOf(program));
  });

  it('writes none before its first step', async () => {
    const program = regression();
    for (const name of ['worker-joined', 'started']) {
      const { error, checkpoints } = await interrupted(
        { program, seed: 3 },
        ({ event }) => event === name,
      );
      assert.ok(error instanceof TuttiError);
      assert.equal(error.code, 'ABORTED');
      assert.deepEqual(error.details, { step: 0 });
      assert.equal(checkpoints.kept.size, 0);
    }
  });

  it('as one process leaves one too', async () => {
    const program = regression();
    const expected = await digestOf(program);
    for (const name of ['step', 'epoch']) {
      const interrupting = new AbortController();
      const run = runLocal(program, {
        workers: 0,
        interrupt: interrupting.signal,
        onEvent: (event) => event.event === name && interrupting.abort(),
      });
      await assert.rejects(run.result, {
        code: 'ABORTED',
        details: { step: name === 'step' ? 1 : 7 },
      });
    }
    assert.equal(await digestOf(program), expected);
  });
});
