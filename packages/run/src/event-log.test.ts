import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stamped } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createEventLog, STORED_STEPS } from './event-log.js';

const stamped = (event: RunEvent): Stamped<RunEvent> => ({ at: 7, job: 'j', ...event });
const started = (steps: number, folder?: string) =>
  stamped({
    ...{ event: 'started', job: 'j', workers: 1, servers: 1, shards: 2, steps },
    ...{ storedParameters: 3, ...(folder === undefined ? {} : { folder }) },
  });
const step = (at: number) =>
  stamped({
    ...{ event: 'step', step: at, epoch: 1, loss: Number.NaN, metrics: {}, examples: 1 },
    ...{ examplesPerSecond: 1, stepMs: 1 },
  });
const joined = stamped({ event: 'worker-joined', worker: 'w0', workers: 1 });

describe('the log of events', () => {
  let folder: string;
  const lines = async () =>
    (await readFile(join(folder, 'events.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-events-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('has what came before the folder was known, and goes on where an earlier process ended', async () => {
    for (const round of [1, 2]) {
      const log = createEventLog(() => {});
      for (const event of [joined, started(2, folder), step(1), step(2)]) log.listen(event);
      await log.close();
      assert.deepEqual(
        (await lines()).map(({ event }) => event),
        Array(round).fill(['worker-joined', 'started', 'step', 'step']).flat(),
      );
    }
    assert.deepEqual([(await lines())[2].loss, (await lines())[2].at], [null, 7]);
  });

  it('keeps evenly many of very many steps', async () => {
    const log = createEventLog(() => {});
    log.listen(started(5 * STORED_STEPS, folder));
    for (let at = 1; at <= 30; at++) log.listen(step(at));
    await log.close();
    const kept = (await lines()).flatMap((event) => event.step ?? []);
    assert.deepEqual(kept, [5, 10, 15, 20, 25, 30]);
  });

  it('writes nothing for a run without a folder, and warns once where it cannot write', async () => {
    const warnings: RunEvent[] = [];
    const none = createEventLog((event) => warnings.push(event));
    none.listen(started(2));
    none.listen(step(1));
    await none.close();
    await assert.rejects(lines());
    await writeFile(join(folder, 'file'), '');
    const log = createEventLog((event) => warnings.push(event));
    log.listen(started(2, join(folder, 'file')));
    log.listen(step(1));
    await log.close();
    log.listen(step(2));
    await log.close();
    assert.deepEqual(
      warnings.map(({ event }) => event),
      ['warning'],
    );
  });
});
