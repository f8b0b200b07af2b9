import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@tutti/checkpoint';
import type { JobPlan, ProgramDescription } from '@tutti/protocol';
import { isTuttiError, TuttiError } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { type JobSettings, resolvePlan } from '../plan/plan.js';
import { digestOf } from '../weights-digest.js';
import { createCheckpointFolder } from './checkpoint-folder.js';
import { beginAgain, beginFrom } from './first-weights.js';
import type { Snapshot } from './snapshot.js';

const description: ProgramDescription = {
  name: 'line',
  hash: 'a1b2',
  sharing: 'map 1',
  parameters: [
    { name: 'w', shape: [2, 2] },
    { name: 'b', shape: [1] },
  ],
  trainingExamples: 40,
  evaluationExamples: 0,
  defaults: {
    batchSize: 10,
    epochs: 5,
    seed: 1,
    shards: 3,
    optimizer: { name: 'momentum', learningRate: 0.1 },
  },
};

/** The program after it was changed: other sources, data and optimizer. */
const changed: ProgramDescription = {
  ...description,
  hash: 'c3d4',
  trainingExamples: 80,
  defaults: { ...description.defaults, optimizer: { name: 'adagrad', learningRate: 0.01 } },
};

const snapshotOf = (job: string, plan: JobPlan, step: number): Snapshot => ({
  ...{ job, plan, step },
  flat: Float32Array.of(step, 2, 3, 4, 5),
  slots: [Float32Array.of(6, 7, 8, 9, step)],
  ranges: [3, 2],
  versions: {},
});

let root: string;
let events: RunEvent[];
const emit = (event: RunEvent) => void events.push(event);
const runs = (name: string) => join(root, name);
const pathOf = (run: number, step: number) =>
  join(root, 'line', `run-000${run}`, `step-00000000${step}`);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tutti-first-'));
  events = [];
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** As `model.save` writes it. */
async function saveModel(
  weights: readonly { name: string; shape: number[]; dtype?: string }[],
  values: Float32Array,
  paths = ['weights.bin'],
): Promise<string> {
  const entries = weights.map((each) => ({ dtype: 'float32', ...each }));
  const weightsManifest = [{ paths, weights: entries }];
  await writeFile(join(root, 'model.json'), JSON.stringify({ modelTopology: {}, weightsManifest }));
  await writeFile(join(root, 'weights.bin'), new Uint8Array(values.buffer));
  return root;
}

describe('the weights of a saved tf.LayersModel', () => {
  const values = Float32Array.of(1, 2, 3, 4, 5);
  const begin = (from: string) =>
    beginFrom({ from, runs, directory: runs })({ description, settings: {}, workers: 1, emit });

  it('are those that a run begins with, by their names or in their order', async () => {
    for (const [w, b] of [
      ['w', 'b'],
      ['dense_Dense7/kernel', 'dense_Dense7/bias'],
    ] as const) {
      const folder = await saveModel(
        [
          { name: w, shape: [2, 2] },
          { name: b, shape: [1] },
        ],
        values,
      );
      for (const from of [folder, join(folder, 'model.json')])
        assert.deepEqual((await begin(from))!.flat, values);
    }
    const folder = await saveModel(
      [
        { name: 'b', shape: [1] },
        { name: 'w', shape: [2, 2] },
      ],
      values,
    );
    assert.deepEqual((await begin(folder))!.flat, Float32Array.of(2, 3, 4, 5, 1));
  });

  it('are refused where they do not fit, or are not whole', async () => {
    const w = { name: 'w', shape: [2, 2] };
    const cases: [Parameters<typeof saveModel>, RegExp][] = [
      [[[w, { name: 'c', shape: [1] }], values], /it lacks "b" \[1\]/],
      [[[w, { name: 'b', shape: [2] }], values], /end within "b"/],
      [[[w, { name: 'b', shape: [1], dtype: 'int32' }], values], /"b" is int32/],
      [[[w], values, ['../secret.bin']], /secret.bin/],
    ];
    for (const [saved, message] of cases)
      await assert.rejects(begin(await saveModel(...saved)), { code: 'BAD_CHECKPOINT', message });
    await writeFile(join(root, 'model.json'), '{}');
    await assert.rejects(begin(root), { message: /lists no weights of a tf.LayersModel/ });
  });
});

/** Checkpoints of a run in a folder of its own. */
async function write(plan: JobPlan, ...steps: number[]) {
  const sink = createCheckpointFolder({ directory: runs, runs: true });
  const job = `j-${Math.random()}`;
  await sink.begin?.({ job, plan, from: undefined });
  for (const step of steps) await sink.write(snapshotOf(job, plan, step), false, emit);
  await sink.close?.();
}

const planOf = (settings: JobSettings = {}, of = description) =>
  resolvePlan({ description: of, settings, workers: 1 });

const begun = (from: string, resume?: string, of = changed, settings: JobSettings = {}) =>
  beginFrom({ from, runs, resume, directory: runs })({
    ...{ description: of, settings, workers: 2, servers: 1, emit },
  });

async function refused(task: Promise<unknown>, message: RegExp, remedy = /./) {
  await assert.rejects(task, (error) => {
    assert.ok(isTuttiError(error), String(error));
    assert.equal(error.code, 'BAD_CHECKPOINT');
    assert.match(error.message, message);
    assert.match(error.remedy, remedy);
    return true;
  });
}

describe('beginning with other weights', () => {
  it('takes the newest of the run that wrote last, for a new job at step 0 with a fresh optimizer', async () => {
    await write(planOf({ seed: 2 }), 3);
    await write(planOf(), 4, 6);
    const flat = Float32Array.of(6, 2, 3, 4, 5);
    for (const from of ['latest', runs('line'), join(root, 'line', 'run-0002'), pathOf(2, 6)]) {
      const point = await begun(from);
      const firstWeights = { digest: digestOf(flat), path: pathOf(2, 6) };
      assert.deepEqual(point, {
        path: pathOf(2, 6),
        plan: { ...planOf({}, changed), firstWeights },
        job: undefined,
        step: 0,
        flat,
        slots: [new Float32Array(5).fill(0.1)],
      });
    }
    assert.equal((await begun(pathOf(1, 3)))!.flat[0], 3);
    assert.deepEqual(events, []);
  });

  it('refuses what is not there, damaged, or stands for other weights', async () => {
    await refused(begun('latest'), /there is no checkpoint|does not exist/);
    await refused(begun(join(root, 'none')), /does not exist/);
    await write(planOf(), 4);
    await refused(
      begun('latest', undefined, { ...changed, sharing: 'map 2' }),
      /sharing of the weights has changed/,
    );
    const weights = join(pathOf(1, 4), 'weights-00001-of-00002.safetensors');
    await refused(begun(weights), /lacks "w"/, /step-\.\.\. folder/);
    await writeFile(weights, 'torn');
    await refused(begun('latest'), /weights-00001-of-00002\.safetensors cannot be used/);
  });

  it('goes on with a run that began so, and with no other', async () => {
    await write(planOf(), 4);
    const from = pathOf(1, 4);
    await refused(begun(from, 'latest', description), /it began with the initial values/);
    const { plan } = (await begun(from, undefined, description))!;
    await write(plan, 2);
    const point = await begun(from, 'latest', description);
    assert.deepEqual([point!.step, point!.path], [2, pathOf(2, 2)]);
    assert.deepEqual(point!.plan, plan);
    // That is the one of the two runs which is meant, whichever wrote last.
    await write(planOf({ seed: 3 }), 5);
    assert.equal((await begun(from, 'latest', description))!.path, pathOf(2, 2));
    await refused(begun(pathOf(3, 5), pathOf(2, 2), description), /it began with the weights/);
  });

  it('begins where no checkpoint was written yet', async () => {
    const from = join(root, 'first.safetensors');
    await writeSafetensors(from, [
      { name: 'b', shape: [1], values: Float32Array.of(5) },
      { name: 'w', shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) },
    ]);
    const point = await begun(from, 'latest');
    assert.deepEqual(point!.flat, Float32Array.of(1, 2, 3, 4, 5));
    assert.equal(point!.step, 0);
    assert.deepEqual(
      events.map((event) => event.event === 'warning' && event.code),
      ['NO_CHECKPOINT'],
    );
  });

  it('refuses the latest for a run that is to go on, whose own that would be', () => {
    assert.throws(
      () => beginFrom({ from: 'latest', runs, resume: 'latest', directory: runs }),
      (error) => error instanceof TuttiError && error.code === 'BAD_CONFIG',
    );
  });
});

describe('beginning again', () => {
  it('gives the same once more, unless the weights have changed or are gone', async () => {
    await write(planOf(), 4);
    const point = (await begun(pathOf(1, 4)))!;
    const first = point.plan.firstWeights!;
    assert.deepEqual(await beginAgain(point.plan, first), point);
    const other = { ...first, digest: digestOf(Float32Array.of(1)) };
    await refused(beginAgain(point.plan, other), /their digest is .* instead of/, /begin the run/);
    await rm(pathOf(1, 4), { recursive: true });
    await refused(
      beginAgain(point.plan, first),
      /must go back to the weights that it began with\. .*does not exist/,
      /Bring it back/,
    );
  });
});
