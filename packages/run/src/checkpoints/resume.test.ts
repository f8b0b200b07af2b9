import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { latestCheckpoints, listCheckpoints, readManifest } from '@tutti/checkpoint';
import { claimFolder } from '@tutti/checkpoint/internal';
import { type JobPlan, PROTOCOL_VERSION, type ProgramDescription } from '@tutti/protocol';
import { TuttiError, tuttiVersion } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { type JobSettings, resolvePlan } from '../plan/plan.js';
import { createCheckpointFolder } from './checkpoint-folder.js';
import { planToGoOn } from './plan-to-go-on.js';
import { resumeFrom } from './resume.js';
import type { Snapshot } from './snapshot.js';

const description: ProgramDescription = {
  name: 'line',
  hash: 'a1b2',
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

const snapshotOf = (plan: JobPlan, step: number): Snapshot => ({
  job: 'j1',
  plan,
  step,
  flat: Float32Array.of(step, 2, 3, 4, 5),
  slots: [Float32Array.of(6, 7, 8, 9, step)],
  ranges: [3, 2],
  progress: { examples: 10 * step, epoch: { count: 10, lossSum: 0.1, metrics: {} } },
  versions: { tfjs: '4.22.0' },
});

let folder: string;
let events: RunEvent[];
const emit = (event: RunEvent) => void events.push(event);
const directory = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tutti-resume-'));
  events = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Writes checkpoints of a run with 3 workers. */
async function write(steps: readonly number[], settings: JobSettings = {}, keep = 10) {
  const plan = resolvePlan({ description, settings, workers: 3 });
  const sink = createCheckpointFolder({ directory, keep });
  for (const step of steps) await sink.write(snapshotOf(plan, step), false, emit);
  await sink.close?.();
  return plan;
}

/** A checkpoint of a run in a folder of its own. */
async function writeRun(settings: JobSettings, step: number) {
  const plan = resolvePlan({ description, settings, workers: 3 });
  const sink = createCheckpointFolder({ directory, runs: true });
  await sink.begin?.({ job: `j1-${settings.seed}`, plan, from: undefined });
  await sink.write(snapshotOf(plan, step), false, emit);
  await sink.close?.();
  return plan;
}

const resume = (which: string, settings: JobSettings = {}, of = description, workers = 1) =>
  resumeFrom(which, directory)({ description: of, settings, workers, emit });

const pathOf = (step: number) => join(folder, 'line', `step-00000000${step}`);

async function refused(task: Promise<unknown>, message: RegExp) {
  await assert.rejects(task, (error) => {
    assert.ok(error instanceof TuttiError, String(error));
    assert.equal(error.code, 'BAD_CHECKPOINT');
    assert.match(error.message, message);
    assert.notEqual(error.remedy, '');
    return true;
  });
}

describe('resuming', () => {
  it('goes on with all that was written, whatever the number of workers', async () => {
    const plan = await write([2, 4]);
    for (const which of ['latest', pathOf(4), join(folder, 'line')]) {
      const point = await resume(which);
      assert.deepEqual(point, {
        job: 'j1',
        plan,
        step: 4,
        flat: Float32Array.of(4, 2, 3, 4, 5),
        slots: [Float32Array.of(6, 7, 8, 9, 4)],
        progress: { examples: 40, epoch: { count: 10, lossSum: 0.1, metrics: {} } },
        path: pathOf(4),
      });
    }
    assert.equal((await resume(pathOf(2)))?.step, 2);
    assert.deepEqual(events, []);
  });

  it('passes over what is torn, truncated or changed if the latest is wanted, with a warning', async () => {
    await write([1, 2, 3, 4]);
    await rm(join(pathOf(4), 'optimizer-00002-of-00002.safetensors'));
    const weights = join(pathOf(3), 'weights-00001-of-00002.safetensors');
    const whole = await readFile(weights);
    await writeFile(weights, whole.subarray(0, whole.length - 1));
    const manifest = join(pathOf(2), 'manifest.json');
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"seed": 1', '"seed": 2'));
    assert.equal((await resume('latest'))?.step, 1);
    assert.deepEqual(
      events.map((event) => event.event === 'warning' && event.code),
      Array(3).fill('BAD_CHECKPOINT'),
    );
    await refused(resume(pathOf(4)), /it is missing/);
    await refused(resume(pathOf(3)), /the manifest says/);
    await refused(resume(pathOf(2)), /does not match its own checksum/);
    await writeFile(join(pathOf(1), 'manifest.json'), '');
    await refused(resume('latest'), /step-000000004.*it is missing/);
  });

  it('refuses what is of another run, and says in what', async () => {
    await write([2]);
    const changed = { ...description, hash: 'ffff' };
    await refused(
      resume('latest', {}, changed),
      /program line has changed since: .* a1b2, now ffff/,
    );
    const other = { ...description, hash: 'ffff', name: 'circle' };
    await refused(resume(pathOf(2), {}, other), /of another program, line instead of circle/);
    await refused(resume('latest', { seed: 9 }), /seed is 1 instead of 9 \(--seed\)/);
    await refused(resume('latest', { shards: 4 }), /shards is 3 instead of 4/);
    await refused(resume('latest', { steps: 1 }), /at step 2, but the run is to end after 1/);
    await refused(resume(join(folder, 'nowhere')), /it does not exist/);
  });

  it('names what a changed program says otherwise, with the flag that does it instead', async () => {
    await write([2]);
    const defaults = { ...description.defaults, epochs: 9 };
    const task = resume('latest', {}, { ...description, hash: 'ffff', defaults });
    await assert.rejects(task, {
      code: 'BAD_CHECKPOINT',
      message: /has changed since.*9 epochs are 36 steps, the run has 20 \(--epochs, --steps\)/,
      remedy: /as it was when this was written, and make the run longer by --epochs 9/,
    });
  });

  it('sends nobody to --from whose model or sharing is another', async () => {
    await write([2]);
    const [w] = description.parameters;
    const parameters = [w!, { name: 'bias', shape: [1] }];
    await assert.rejects(resume('latest', {}, { ...description, hash: 'ffff', parameters }), {
      message: /of the run, it lacks "bias" \[1\].*, and 1 more such \(model or sharing of/,
      remedy: /begin a new run without --resume; the weights of this one do not fit it/,
    });
    await assert.rejects(resume('latest', {}, { ...description, hash: 'ffff', sharing: 'map' }), {
      message:
        /has changed since: the weights are shared in another way \(sharing of the program\)/,
      remedy: /begin a new run without --resume; the weights of this one do not fit it/,
    });
  });

  it('does not take a run that a flag has made longer for a changed program', async () => {
    await write([30], { epochs: 9 });
    const defaults = { ...description.defaults, seed: 2 };
    await assert.rejects(resume('latest', {}, { ...description, hash: 'ffff', defaults }), {
      message: /has changed since: seed is 2 now, the run has 1 \(--seed\)\.$/,
      remedy: /^Use the program as it was when this was written\. Or begin/,
    });
  });

  it('begins from the start where none was written yet, if the latest is wanted, and says so', async () => {
    const isAnew = async () => {
      events = [];
      assert.equal(await resume('latest'), undefined);
      assert.deepEqual(events, [
        {
          event: 'warning',
          code: 'NO_CHECKPOINT',
          message: `There is no checkpoint in ${join(folder, 'line')} yet: the run begins from the start`,
          remedy: 'If there should be one, name its folder with --checkpoint-dir.',
        },
      ]);
    };
    await isAnew();
    await mkdir(join(folder, 'line'));
    await isAnew();
    // What a run leaves that is killed before it has written its first.
    await mkdir(join(folder, 'line', '.tmp-step-000000001-x'));
    await writeFile(join(folder, 'line', 'steps.jsonl'), '{}');
    await isAnew();
    await refused(resume(join(folder, 'line')), /there is no checkpoint in it/);
    await refused(resume(join(folder, 'nowhere')), /it does not exist/);
  });

  it('never begins from the start where something was written that cannot be found', async () => {
    await write([1, 2]);
    for (const step of [1, 2]) await rm(pathOf(step), { recursive: true });
    await refused(resume('latest'), /`latest` names step-000000002, and there is no checkpoint/);
    await mkdir(pathOf(2));
    await refused(resume('latest'), /step-000000002.manifest\.json cannot be used/);
    await rm(join(folder, 'line'), { recursive: true });
    await writeFile(join(folder, 'line'), 'no folder');
    await refused(resume('latest'), /line cannot be used: it cannot be read as a folder \(ENOTDIR/);
  });

  it('takes what nobody sets from the run that goes on', async () => {
    const settings = { batchSize: 8, seed: 3, learningRate: 0.5, steps: 12 };
    const plan = await write([2], settings);
    assert.equal(plan.shards, 3);
    assert.deepEqual((await resume('latest'))?.plan, plan);
    const longer = await resume('latest', { epochs: 7 });
    assert.deepEqual(longer?.plan, { ...plan, steps: 35 });
    assert.equal(longer?.job, undefined);
    assert.equal((await resume('latest', { steps: 20 }))?.plan.steps, 20);
  });

  it('takes the run that is meant of several, as the settings say, and none that is being written', async () => {
    const plans = [await writeRun({ seed: 1 }, 2), await writeRun({ seed: 2 }, 4)];
    assert.deepEqual((await resume('latest'))?.plan, plans[1]);
    assert.equal(events.length, 0);
    const first = await resume('latest', { seed: 1 });
    assert.deepEqual(first?.plan, plans[0]);
    assert.equal(first?.path, join(folder, 'line', 'run-0001', 'step-000000002'));
    const [passed] = events;
    assert.ok(passed?.event === 'warning');
    assert.match(passed.message, /run-0002.*seed is 2 instead of 1 \(--seed\).* passed over/);
    events = [];
    await refused(
      resume('latest', { seed: 3 }),
      /run-0002.*seed is 2 instead of 3.* Nor does the other run in .* fit\.$/,
    );
    assert.deepEqual(events, []);
    const claim = await claimFolder(join(folder, 'line', 'run-0002'), 'j9');
    assert.equal((await resume('latest'))?.plan.seed, 1);
    await claim.release();
    assert.equal((await resume('latest'))?.plan.seed, 2);
    assert.equal((await resume(join(folder, 'line')))?.plan.seed, 2);
  });

  it('goes on with the plan that shows before the program is opened', async () => {
    const foreseen = (which: string, settings: JobSettings = {}, hash = description.hash) =>
      planToGoOn(which, join(folder, 'line'), hash, settings);
    assert.equal(await foreseen('latest'), undefined);
    await writeRun({ seed: 1, shards: 5 }, 2);
    await writeRun({ seed: 2, shards: 7 }, 4);
    for (const settings of [{}, { seed: 1 }, { shards: 5 }]) {
      const plan = await foreseen('latest', settings);
      assert.ok(plan !== undefined);
      assert.deepEqual(plan, (await resume('latest', settings))?.plan);
    }
    const [first] = await latestCheckpoints(join(folder, 'line', 'run-0001'));
    assert.equal((await foreseen(first!.path))?.shards, 5);
    for (const [which, settings, hash] of [
      ['latest', { seed: 3 }],
      ['latest', {}, 'another program'],
      ['nowhere', {}],
    ] as const)
      assert.equal(await foreseen(which, settings, hash), undefined);
    const claim = await claimFolder(join(folder, 'line', 'run-0002'), 'j9');
    assert.equal((await foreseen('latest'))?.shards, 5);
    await claim.release();
  });

  it('refuses more workers than the run has shards', async () => {
    await write([2]);
    await assert.rejects(resume('latest', {}, description, 4), { code: 'BAD_CONFIG' });
  });
});

describe('a folder of checkpoints', () => {
  it('says which Tutti, Node, protocol and libraries wrote it', async () => {
    await write([2]);
    const { versions } = await readManifest(pathOf(2));
    assert.deepEqual(versions, {
      tutti: tuttiVersion(),
      node: process.version,
      protocol: String(PROTOCOL_VERSION),
      tfjs: '4.22.0',
    });
  });

  it('keeps three if nobody says how many', async () => {
    const plan = resolvePlan({ description, settings: {}, workers: 3 });
    const sink = createCheckpointFolder({ directory });
    for (const step of [1, 2, 3, 4, 5]) await sink.write(snapshotOf(plan, step), false, emit);
    const kept = await listCheckpoints(join(folder, 'line'));
    assert.deepEqual(
      kept.map(({ step }) => step),
      [3, 4, 5],
    );
    await sink.close?.();
  });

  it('gives back the newest of a job, up to a step', async () => {
    const plan = await write([1, 2, 3, 4]);
    const sink = createCheckpointFolder({ directory, keep: 10 });
    const latest = (job: string, upTo: number) => sink.latest!({ job, plan, upTo, emit });
    assert.equal((await latest('j1', 9))?.step, 4);
    assert.equal((await latest('j1', 2))?.step, 2);
    assert.equal(await latest('j2', 9), undefined);
    await rm(join(pathOf(2), 'manifest.json'));
    assert.equal((await latest('j1', 2))?.step, 1);
    assert.equal(events.length, 1);
  });

  it('puts the end of a run elsewhere where it cannot be written, and leaves the weights', async () => {
    const plan = resolvePlan({ description, settings: {}, workers: 3 });
    const file = join(folder, 'file');
    await writeFile(file, 'mine');
    const sink = createCheckpointFolder({ directory: file });
    const snapshot = { ...snapshotOf(plan, 20), job: `test-${process.pid}` };
    await assert.rejects(sink.write(snapshotOf(plan, 4), false, emit), { code: 'STORAGE' });
    const { path } = await sink.write(snapshot, true, emit);
    assert.equal(snapshot.flat.length, 5);
    assert.ok(path.startsWith(join(tmpdir(), `tutti-test-${process.pid}`)));
    const [warning] = events;
    assert.ok(warning?.event === 'warning' && warning.message.includes(`saved in ${path} instead`));
    await sink.close?.();
    await rm(join(path, '..'), { recursive: true });
  });
});
