import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listCheckpoints, readCheckpoint } from '@tutti/checkpoint';
import { runLocal } from '@tutti/launch';
import type { EarlyStopping, ReduceOnPlateau } from '@tutti/protocol';
import type { RunEvent } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';
import { createMemoryCheckpoints } from '../simulation/memory-checkpoints.js';

const EPOCHS = 14;
type Options = NonNullable<Parameters<typeof regression>[0]>;

/** The test loss of this one goes up and down. */
const program = (options: Options = {}) =>
  regression({
    examples: 50,
    evaluated: 14,
    epochs: EPOCHS,
    optimizer: { name: 'momentum', learningRate: 0.5, momentum: 0.9 },
    ...options,
  });

async function run(of: Program, settings: { epochs?: number } = {}) {
  const events: RunEvent[] = [];
  const result = await runLocal(of, {
    workers: 0,
    ...settings,
    onEvent: (event) => events.push(event),
  }).result;
  const epochs = events.filter((event) => event.event === 'epoch');
  const reduced = events.filter((event) => event.event === 'learning-rate');
  return {
    result,
    events,
    reduced,
    losses: epochs.map(({ evaluation }) => evaluation?.loss ?? Number.NaN),
  };
}

/** Keras' EarlyStopping, as a loop over losses: how many epochs there are, and which was the best. */
function stopped(losses: readonly number[], { patience = 0, minChange = 0 }: EarlyStopping) {
  let [best, at, wait] = [Number.POSITIVE_INFINITY, 0, 0];
  for (let epoch = 1; epoch <= losses.length; epoch++) {
    const loss = losses[epoch - 1]!;
    wait++;
    if (loss + minChange < best) {
      [best, at, wait] = [loss, epoch, 0];
      continue;
    }
    if (wait >= patience) return { epochs: epoch, best: at };
  }
  return { epochs: losses.length, best: at };
}

/** Keras' ReduceLROnPlateau: the epochs after which the rate is multiplied, and with what in all. */
function reductions(
  losses: readonly number[],
  options: Required<Omit<ReduceOnPlateau, 'monitor' | 'better'>>,
) {
  const { patience, minChange, factor, floor, cooldown } = options;
  let [best, wait, counter, rate] = [Number.POSITIVE_INFINITY, 0, 0, 1];
  const found: { epoch: number; rate: number }[] = [];
  losses.forEach((loss, at) => {
    if (counter > 0) {
      counter--;
      wait = 0;
    }
    if (loss < best - minChange) {
      best = loss;
      wait = 0;
    } else if (counter === 0) {
      wait++;
      if (wait >= patience && rate > floor) {
        rate = Math.max(rate * factor, floor);
        found.push({ epoch: at + 1, rate });
        counter = cooldown;
        wait = 0;
      }
    }
  });
  return found;
}

describe('early stopping', () => {
  for (const earlyStopping of [
    {},
    { patience: 1 },
    { patience: 3 },
    { patience: 2, minChange: 0.05 },
  ])
    it(`ends as Keras does, with the best weights: ${JSON.stringify(earlyStopping)}`, async () => {
      const { losses } = await run(program());
      const expected = stopped(losses, earlyStopping);
      assert.ok(expected.epochs < EPOCHS && expected.best < expected.epochs, 'it is stopped early');
      const steered = await run(program({ earlyStopping }));
      assert.deepEqual(steered.losses, losses.slice(0, expected.epochs));
      assert.equal(steered.result.steps, 3 * expected.epochs);
      assert.equal(steered.result.loss, losses[expected.best - 1]);
      const { result } = await run(program(), { epochs: expected.best });
      assert.equal(steered.result.digest, result.digest);
      const last = await run(program({ earlyStopping: { ...earlyStopping, keepBest: false } }));
      const { result: whole } = await run(program(), { epochs: expected.epochs });
      assert.equal(last.result.digest, whole.digest);
      assert.equal(last.result.loss, losses[expected.epochs - 1]);
    });

  it('ends with the best weights also where it never stops', async () => {
    const { losses } = await run(program());
    const best = losses.indexOf(Math.min(...losses)) + 1;
    assert.ok(best < EPOCHS);
    const { result } = await run(program({ earlyStopping: { patience: 100 } }));
    assert.equal(result.steps, 3 * EPOCHS);
    assert.equal(result.digest, (await run(program(), { epochs: best })).result.digest);
  });

  it('watches the training where nothing is evaluated, and what is named', async () => {
    const blind = (earlyStopping: EarlyStopping): Program => {
      const whole = program({ earlyStopping });
      return { ...whole, data: async () => ({ training: (await whole.data()).training }) };
    };
    const { events, result } = await run(blind({ patience: 1 }));
    const losses = events.flatMap((event) => (event.event === 'epoch' ? [event.loss] : []));
    assert.equal(result.steps, 3 * stopped([...losses, 0, 0], { patience: 1 }).epochs);
    await assert.rejects(run(program({ earlyStopping: { monitor: 'acuracy' } })), {
      code: 'BAD_CONFIG',
      message: 'earlyStopping watches "acuracy", which nobody measures',
    });
  });

  it('goes by what the program says of a metric, whatever it is called', async () => {
    const named = (metric: string, better: 'less' | 'more'): Program => {
      const whole = program({ earlyStopping: { monitor: metric, patience: 1 } });
      const measured = <Result extends { lossSum: number }>(result: Result) => ({
        ...result,
        metrics: { [metric]: better === 'less' ? result.lossSum : -result.lossSum },
      });
      return {
        ...whole,
        async open() {
          const computation = await whole.open();
          return {
            ...computation,
            metricDirections: { [metric]: better },
            gradient: async (...given) => measured(await computation.gradient(...given)),
            evaluate: async (...given) => measured(await computation.evaluate(...given)),
          };
        },
      };
    };
    const expected = await run(program({ earlyStopping: { patience: 1 } }));
    for (const [metric, better] of [
      ['mae', 'less'],
      ['lossless', 'more'],
    ] as const) {
      const { result } = await run(named(metric, better));
      assert.equal(result.steps, expected.result.steps);
      assert.equal(result.digest, expected.result.digest);
    }
  });

  it('refuses settings that mean nothing', async () => {
    const cases: [Options, RegExp][] = [
      [{ earlyStopping: { patience: -1 } }, /^earlyStopping.patience of program regression is -1$/],
      [
        { earlyStopping: { patient: 3 } as never },
        /^earlyStopping of program regression takes no "patient"$/,
      ],
      [
        { reduceOnPlateau: { factor: 1.5 } },
        /^reduceOnPlateau.factor of program regression is 1.5$/,
      ],
    ];
    for (const [options, message] of cases)
      await assert.rejects(run(program(options)), { code: 'BAD_PROGRAM', message });
  });
});

describe('a rate that is reduced on plateaus', () => {
  for (const reduceOnPlateau of [
    { patience: 1, factor: 0.5 },
    { patience: 2, factor: 0.3, cooldown: 1, minChange: 0.02 },
    { patience: 1, factor: 0.1, floor: 0.05 },
  ])
    it(`is that of a schedule which Keras' rule gives: ${JSON.stringify(reduceOnPlateau)}`, async () => {
      const steered = await run(program({ reduceOnPlateau }));
      const options = { minChange: 1e-4, floor: 0, cooldown: 0, ...reduceOnPlateau };
      const expected = reductions(steered.losses, options);
      assert.ok(expected.length > 1, 'it is reduced');
      assert.deepEqual(
        steered.reduced.map(({ epoch, factor }) => ({ epoch, rate: factor })),
        expected,
      );
      const scheduled = program({
        optimizer: {
          name: 'momentum',
          learningRate: 0.5,
          momentum: 0.9,
          schedule: {
            kind: 'piecewise',
            from: expected.map(({ epoch }) => 3 * epoch),
            factors: expected.map(({ rate }) => rate),
          },
        },
      });
      assert.equal(steered.result.digest, (await run(scheduled)).result.digest);
    });
});

describe('a run that its evaluations steer', () => {
  const options: Options = {
    earlyStopping: { patience: 2 },
    reduceOnPlateau: { patience: 1, factor: 0.9 },
  };

  it('ends alike with any number of workers and servers', async () => {
    const alone = await run(program(options));
    assert.ok(alone.events.some(({ event }) => event === 'early-stop') && alone.reduced.length > 0);
    for (const [workers, servers] of [
      [1, 1],
      [3, 2],
      [8, 1],
    ] as const) {
      const { result, events } = await simulate({
        program: program(options),
        workers,
        servers,
        verify: 0.5,
        seed: workers,
      });
      assert.equal(result.digest, alone.result.digest);
      assert.equal(result.steps, alone.result.steps);
      assert.equal(result.loss, alone.result.loss);
      const steered = (all: readonly RunEvent[]) =>
        all
          .filter(({ event }) => event === 'early-stop' || event === 'learning-rate')
          .map((event) => ({ ...event, at: 0, job: '' }));
      assert.deepEqual(steered(events), steered(alone.events));
    }
  });

  it('goes on from any of its checkpoints to the same end', async () => {
    const alone = await run(program(options));
    const checkpoints = createMemoryCheckpoints({ every: { steps: 1 } });
    const { sink, kept } = checkpoints;
    const first = await simulate({
      program: program(options),
      workers: 2,
      seed: 1,
      checkpoints: sink,
    });
    assert.equal(first.result.digest, alone.result.digest);
    const steps = [...kept.keys()];
    // The last that was written is what it ended with.
    assert.ok(steps.at(-1)! < alone.result.steps, `${steps}`);
    assert.equal(steps.length, alone.result.steps - 1);
    for (const step of steps) {
      const resume = checkpoints.resume(step);
      const { result } = await simulate({
        program: program(options),
        workers: 3,
        seed: step,
        resume,
      });
      assert.equal(result.digest, alone.result.digest, `from step ${step}`);
    }
  });

  it('goes on from the disk, in a plain loop, and leaves the best there', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tutti-steering-'));
    try {
      const alone = await run(program(options));
      const settings = { workers: 0, checkpointDir: directory, checkpointEvery: { steps: 2 } };
      const begin = (more: object) =>
        runLocal(program(options), { ...settings, checkpointKeep: 100, ...more }).result;
      const whole = await begin({});
      assert.equal(whole.digest, alone.result.digest);
      const { step, manifest } = await readCheckpoint(directory);
      assert.equal(manifest.digest, alone.result.digest);
      assert.ok(step < alone.result.steps);
      for (const { path } of await listCheckpoints(directory)) {
        const { digest } = await begin({ resume: path });
        assert.equal(digest, alone.result.digest, path);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
