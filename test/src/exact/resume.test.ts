import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import { digestOf, type JobSettings } from '@tutti/run';
import type { RunEvent } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';
import { createMemoryCheckpoints } from '../simulation/memory-checkpoints.js';
import { OPTIMIZERS } from './optimizers.js';

/** What a run says of its steps and epochs, without what depends on how long it took. */
function course(events: readonly RunEvent[], from = 0): unknown[] {
  return events.flatMap((event): unknown[] => {
    if (event.event === 'epoch' && event.step >= from) {
      const { epoch, step, loss, metrics, evaluation } = event;
      return [{ epoch, step, loss, metrics, evaluation }];
    }
    if (event.event !== 'step' || event.step <= from) return [];
    const { step, epoch, loss, metrics, examples } = event;
    return [{ step, epoch, loss, metrics, examples }];
  });
}

async function alone(program: Program, settings: JobSettings = {}) {
  const events: RunEvent[] = [];
  const run = runLocal(program, {
    ...settings,
    workers: 0,
    onEvent: (event) => events.push(event),
  });
  const { digest, steps } = await run.result;
  return { digest, steps, events };
}

/** More than two chunks, so that three servers have something to hold. */
const WIDE = 140_000;

describe('a run that goes on from a checkpoint', () => {
  for (const optimizer of OPTIMIZERS)
    it(`is the run it was, from every step and with any number of workers: ${optimizer.name}`, async () => {
      const program = regression({ optimizer });
      const expected = await alone(program);
      const checkpoints = createMemoryCheckpoints({ every: { steps: 1 } });
      const { sink, kept } = checkpoints;
      const first = await simulate({ program, workers: 2, seed: 1, checkpoints: sink });
      assert.equal(first.result.digest, expected.digest);
      const steps = [...kept.keys()];
      assert.deepEqual(
        steps,
        Array.from({ length: expected.steps }, (_, at) => at + 1),
      );
      for (const step of steps) {
        const workers = 1 + (step % 4);
        const resume = checkpoints.resume(step);
        const { result, events } = await simulate({ program, workers, seed: step, resume });
        assert.equal(result.digest, expected.digest, `from step ${step}`);
        assert.equal(result.job, first.result.job);
        assert.deepEqual(course(events, step), course(expected.events, step));
      }
    });

  it('waits for no more workers than its plan has shards, where nobody says how many', async () => {
    const program = regression({ shards: 1 });
    const expected = await alone(program);
    const checkpoints = createMemoryCheckpoints({ every: { steps: 1 } });
    const parts = { program, workers: 1, unsaid: true };
    const first = await simulate({ ...parts, seed: 1, checkpoints: checkpoints.sink });
    const resumed = await simulate({ ...parts, seed: 2, resume: checkpoints.resume(2) });
    for (const { result } of [first, resumed]) assert.equal(result.digest, expected.digest);
    // With more shards it is two, as ever.
    const lonely = { program: regression(), workers: 1, unsaid: true, seed: 3 };
    await assert.rejects(simulate({ ...lonely, deadlines: { joinMs: 2000 } }), {
      code: 'DEADLINE',
      message: /1 of 2 workers/,
    });
  });

  it('tells what travels in a step, however late it goes on', async () => {
    const program = regression({ features: 2000, examples: 32, batchSize: 8, epochs: 4 });
    const checkpoints = createMemoryCheckpoints({ every: { steps: 1 } });
    const parts = { program, workers: 2, seed: 1 };
    const { result: whole } = await simulate({ ...parts, checkpoints: checkpoints.sink });
    const resume = checkpoints.resume(11);
    const { result: rest } = await simulate({ ...parts, resume });
    assert.equal(rest.steps, whole.steps);
    const ratio = rest.wireBytesPerStep / whole.wireBytesPerStep;
    assert.ok(ratio > 0.9 && ratio < 1.1, `${rest.wireBytesPerStep} ${whole.wireBytesPerStep}`);
  });

  it('has checkpoints of just the weights that a run of as many steps ends with', async () => {
    const program = regression({ features: WIDE, examples: 32, batchSize: 8, epochs: 1 });
    for (const servers of [1, 3]) {
      const { sink, kept } = createMemoryCheckpoints({ every: { steps: 1 } });
      await simulate({ program, workers: 3, servers, seed: servers, checkpoints: sink });
      assert.equal(kept.size, 4);
      for (const [steps, { flat, ranges }] of kept) {
        assert.equal(digestOf(flat), (await alone(program, { steps })).digest, `step ${steps}`);
        assert.equal(ranges.length, servers);
        assert.equal(
          ranges.reduce((sum, floats) => sum + floats),
          flat.length,
        );
      }
    }
  });

  it('is the run it was with another number of servers', async () => {
    const program = regression({ features: WIDE, examples: 32, batchSize: 8, epochs: 1 });
    const { digest } = await alone(program);
    const checkpoints = createMemoryCheckpoints({ every: { steps: 2 } });
    const { sink } = checkpoints;
    await simulate({ program, workers: 2, servers: 3, seed: 1, checkpoints: sink });
    for (const servers of [1, 2, 3, 5]) {
      const resume = checkpoints.resume(2);
      const { result } = await simulate({ program, workers: 3, servers, seed: servers, resume });
      assert.equal(result.digest, digest, `${servers} servers`);
    }
  });

  it('can be made longer: then it is the longer run', async () => {
    const program = regression({ epochs: 2 });
    const checkpoints = createMemoryCheckpoints();
    const run = { program, workers: 2, seed: 1 };
    const { result } = await simulate({ ...run, checkpoints: checkpoints.sink });
    const expected = await alone(program, { epochs: 4 });
    const resume = checkpoints.resume();
    const settings = { epochs: 4 };
    const longer = await simulate({ ...run, workers: 3, seed: 2, settings, resume });
    assert.equal(longer.result.digest, expected.digest);
    assert.equal(longer.result.steps, 2 * result.steps);
    assert.notEqual(longer.result.job, result.job);
  });

  it('begins from the start if there is none', async () => {
    const program = regression();
    const expected = await alone(program);
    const { sink } = createMemoryCheckpoints({ every: { steps: 3 } });
    const resume = async () => undefined;
    const run = { program, workers: 2, seed: 1, checkpoints: sink, resume };
    const { result, events } = await simulate(run);
    assert.equal(result.digest, expected.digest);
    assert.deepEqual(course(events), course(expected.events));
    const started = events.find((event) => event.event === 'started');
    assert.ok(started?.event === 'started' && started.resumed === undefined);
  });

  it('after its last step has nothing to train, and ends with its digest', async () => {
    const program = regression();
    const checkpoints = createMemoryCheckpoints();
    const first = await simulate({ program, workers: 2, seed: 1, checkpoints: checkpoints.sink });
    const resume = checkpoints.resume();
    const { result, events } = await simulate({ program, workers: 1, seed: 1, resume });
    assert.equal(result.digest, first.result.digest);
    assert.equal(result.loss, first.result.loss);
    assert.equal(result.examples, first.result.examples);
    assert.ok(!events.some(({ event }) => event === 'step'));
  });
});

describe('checkpoints', () => {
  it('of the best come whenever the evaluation is better, and tell its numbers', async () => {
    const program = regression({ epochs: 4, batchSize: 20 });
    const { sink, kept } = createMemoryCheckpoints({ best: 'loss' });
    const { events } = await simulate({ program, workers: 2, seed: 1, checkpoints: sink });
    let best = Number.POSITIVE_INFINITY;
    const expected = events.flatMap((event): unknown[] => {
      if (event.event !== 'epoch' || event.evaluation!.loss >= best) return [];
      best = event.evaluation!.loss;
      return [[event.step, event.evaluation]];
    });
    assert.ok(expected.length > 1);
    assert.deepEqual(
      [...kept].map(([step, { evaluation }]) => [step, evaluation]).slice(0, expected.length),
      expected,
    );
  });

  it('that cannot be written are a warning each, and change nothing', async () => {
    const program = regression();
    const expected = await alone(program);
    const sink = {
      every: { steps: 4 },
      async write() {
        throw new Error('ENOSPC: no space left on device');
      },
    };
    const { result, events } = await simulate({ program, workers: 2, seed: 1, checkpoints: sink });
    assert.equal(result.digest, expected.digest);
    assert.equal(result.modelPath, null);
    const warnings = events.flatMap((event) => (event.event === 'warning' ? [event] : []));
    assert.equal(warnings.length, 1 + Math.floor((expected.steps - 1) / 4));
    for (const { code, message } of warnings) {
      assert.equal(code, 'STORAGE');
      assert.match(message, /^The checkpoint of step \d+ could not be saved: ENOSPC/);
    }
  });

  it('come by the clock too', async () => {
    const program = regression({ epochs: 20 });
    const { sink, kept } = createMemoryCheckpoints({ every: { ms: 100 } });
    const { simulatedMs, result } = await simulate({
      program,
      workers: 2,
      seed: 1,
      checkpoints: sink,
    });
    const most = simulatedMs / 100;
    assert.ok(kept.size > most / 2 && kept.size <= most + 1, `${kept.size} in ${simulatedMs} ms`);
    assert.ok(kept.size < result.steps);
  });
});
