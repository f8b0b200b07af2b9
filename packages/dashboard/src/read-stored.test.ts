import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStoredEvents } from './read-stored.js';
import { at, startedEvent, stepEvent } from './testing.js';

describe('the events that a run has left', () => {
  let folder: string;
  const file = (run: string) => join(folder, run, 'events.jsonl');
  const lines = (job: string) =>
    [at(0, startedEvent({ job })), at(1, stepEvent(1))].map((each) => `${JSON.stringify(each)}\n`);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-stored-'));
    for (const [run, age] of [
      ['run-0001', 10],
      ['run-0002', 500],
    ] as const) {
      await mkdir(join(folder, run, 'step-000000001'), { recursive: true });
      await writeFile(file(run), `${lines(run).join('')}{"event":"step","at":3,"st`);
      await utimes(file(run), new Date(), new Date(Date.now() - 1000 * age));
    }
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are found by the file, the run, a checkpoint of it, and the folder of runs: then the last', async () => {
    for (const [path, run] of [
      [file('run-0002'), 'run-0002'],
      [join(folder, 'run-0002'), 'run-0002'],
      [join(folder, 'run-0002', 'step-000000001'), 'run-0002'],
      [folder, 'run-0001'],
    ] as const) {
      const stored = await readStoredEvents(path);
      assert.equal(stored.file, file(run));
      assert.deepEqual(
        stored.events.map(({ event, job }) => [event, job]),
        [
          ['started', run],
          ['step', 'j1'],
        ],
      );
    }
  });

  it('are missed with a word of where they should be', async () => {
    await writeFile(join(folder, 'other.txt'), 'no events\n{"event":"hello","at":1}\n');
    for (const path of [join(folder, 'nowhere'), join(folder, 'other.txt')])
      await assert.rejects(readStoredEvents(path), (error: Error & { remedy: string }) => {
        assert.ok(error.message.includes(path));
        assert.match(error.remedy, /events\.jsonl/);
        return true;
      });
  });
});
