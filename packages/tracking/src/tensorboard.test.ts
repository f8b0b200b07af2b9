import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunEvent } from '@tutti/telemetry';
import { createTensorboard } from './tensorboard.js';
import { at, epochEvent, finishedEvent, startedEvent, stepEvent } from './testing.js';

/** Reads a folder with the tensorboard of PyPI, and prints what is in it as JSON. */
const READER = `
import glob, json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.plugins.hparams import plugin_data_pb2
raw, hparams, status = [], {}, None
for path in sorted(glob.glob(sys.argv[1] + '/events.out.tfevents.*')):
    for event in LegacyEventFileLoader(path).Load():
        for value in event.summary.value:
            data = value.metadata.plugin_data
            if data.plugin_name == 'hparams':
                said = plugin_data_pb2.HParamsPluginData.FromString(data.content)
                for key, each in said.session_start_info.hparams.items():
                    hparams[key] = getattr(each, each.WhichOneof('kind'))
                if said.HasField('session_end_info'): status = said.session_end_info.status
            else:
                raw.append([value.tag, event.step])
accumulator = EventAccumulator(sys.argv[1])
accumulator.Reload()
tags = accumulator.Tags()['scalars']
scalars = {tag: [[e.step, e.value, e.wall_time] for e in accumulator.Scalars(tag)] for tag in tags}
print(json.dumps({'raw': raw, 'scalars': scalars, 'hparams': hparams, 'status': status}))
`;

interface Read {
  readonly raw: readonly (readonly [tag: string, step: number])[];
  readonly scalars: Readonly<Record<string, readonly (readonly [number, number, number])[]>>;
  readonly hparams: Readonly<Record<string, unknown>>;
  readonly status: number | null;
}

/** Where pip has put it, for this test alone: `pip install --target <folder> tensorboard`. */
const PYTHONPATH = process.env.TENSORBOARD_PYTHONPATH;
const run = promisify(execFile);

async function read(folder: string): Promise<Read> {
  const env = { ...process.env, ...(PYTHONPATH === undefined ? {} : { PYTHONPATH }) };
  const { stdout } = await run('python3', ['-c', READER, folder], { env });
  return JSON.parse(stdout);
}

describe('event files of TensorBoard', function () {
  this.timeout(120_000);
  let directory: string;
  let folder: string;
  let warnings: RunEvent[];

  before(async function () {
    const env = { ...process.env, ...(PYTHONPATH === undefined ? {} : { PYTHONPATH }) };
    const there = await run('python3', ['-c', 'import tensorboard'], { env }).then(
      () => true,
      () => false,
    );
    if (there) return;
    // In CI it must be there, so that this does not go untested.
    assert.notEqual(process.env.CI, 'true', 'python3 has no tensorboard');
    console.warn('      skipped: python3 has no tensorboard (TENSORBOARD_PYTHONPATH)');
    this.skip();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tutti-tensorboard-'));
    folder = join(directory, 'line-job-0123');
    warnings = [];
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const create = (pid = 1, where = directory) =>
    createTensorboard({
      ...{ directory: where, host: 'here', pid },
      emit: (event) => warnings.push(event),
    });

  async function tell(pid: number, events: readonly RunEvent[]) {
    const tracker = create(pid);
    for (const [index, event] of events.entries()) tracker.listen(at(1000 * index, event));
    await tracker.close();
  }

  it('are read by TensorBoard: each step, each evaluation, what it was begun with, how it ended', async () => {
    const steps = [1, 2, 3].map((step) => stepEvent(step));
    await tell(1, [startedEvent(), ...steps, epochEvent(1, 0.125), finishedEvent]);
    const { scalars, hparams, status } = await read(folder);
    assert.deepEqual(scalars.loss, [
      [1, 1, 1_700_000_001],
      [2, 0.5, 1_700_000_002],
      [3, Math.fround(1 / 3), 1_700_000_003],
    ]);
    assert.deepEqual(scalars['evaluation/loss'], [[3, 0.125, 1_700_000_004]]);
    assert.deepEqual(Object.keys(scalars).sort(), [
      'accuracy',
      'epoch',
      'evaluation/accuracy',
      'evaluation/loss',
      'examples_per_second',
      'loss',
    ]);
    assert.deepEqual(hparams, {
      ...{ optimizer: 'adam', learningRate: 0.25, batchSize: 32, nesterov: true },
    });
    // Status.STATUS_SUCCESS
    assert.equal(status, 1);
    assert.deepEqual(warnings, []);
  });

  it('have no step twice after a crash and --resume, not even for who reads every record', async () => {
    const steps = (from: number, to: number, loss: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => stepEvent(from + index, loss));
    await tell(1, [startedEvent(), ...steps(1, 3, 1), epochEvent(1, 0.5), ...steps(4, 5, 1)]);
    // It was killed while it wrote.
    const [name] = await readdir(folder);
    await appendFile(join(folder, name!), Buffer.from([9, 0, 0, 0, 0, 0]));
    // From the checkpoint of step 3, whose evaluation is computed again.
    await tell(2, [startedEvent(3), epochEvent(1, 0.5), ...steps(4, 6, 2), epochEvent(2, 0.25)]);
    const { raw, scalars } = await read(folder);
    const texts = raw.map(([tag, step]) => `${tag} ${step}`);
    assert.deepEqual(texts.length, new Set(texts).size, String(texts));
    assert.deepEqual(
      scalars.loss?.map(([step, loss]) => [step, loss]),
      [
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 2],
        [5, 2],
        [6, 2],
      ],
    );
    assert.deepEqual(
      scalars['evaluation/loss']?.map(([step, loss]) => [step, loss]),
      [
        [3, 0.5],
        [6, 0.25],
      ],
    );
  });

  it('have no step twice where a run goes back by itself', async () => {
    const back = [1, 2, 3, 4, 3, 4].map((step) => stepEvent(step));
    await tell(1, [startedEvent(), ...back]);
    const { raw } = await read(folder);
    assert.deepEqual(
      raw.filter(([tag]) => tag === 'loss').map(([, step]) => step),
      [1, 2, 3, 4],
    );
  });

  it('are given up with one warning where nothing can be written', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    const tracker = create(1, file);
    for (const event of [startedEvent(), stepEvent(1), stepEvent(2)]) tracker.listen(at(0, event));
    await tracker.close();
    tracker.listen(at(1, stepEvent(3)));
    await tracker.close();
    assert.deepEqual(
      warnings.map((warning) => warning.event === 'warning' && warning.code),
      ['STORAGE'],
    );
  });
});
