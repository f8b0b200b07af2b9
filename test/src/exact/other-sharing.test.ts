import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLocal } from '@tutti/launch';
import type { Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

/** The same sources, with weights that follow from what is stored by a map of this digest. */
function sharedBy(digest: string | undefined): Program {
  const program = regression({ epochs: 2 });
  const unused = () => assert.fail('Nobody inspects this.');
  const functions = { frozen: () => [], inspect: unused, picture: unused };
  const sharing = { ...(digest === undefined ? {} : { digest }), ...functions };
  return { ...program, open: async () => ({ ...(await program.open()), sharing }) };
}

describe('weights that are shared in another way, by the same sources', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tutti-sharing-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('are refused by a checkpoint, which says so', async () => {
    const options = {
      workers: 0,
      checkpointDir: directory,
      checkpointEvery: { steps: 3 },
    } as const;
    const whole = await runLocal(sharedBy('map-1'), { ...options, steps: 9 }).result;
    const resume = (digest: string | undefined) =>
      runLocal(sharedBy(digest), { workers: 0, checkpointDir: directory, resume: 'latest' }).result;
    for (const other of ['map-2', undefined])
      await assert.rejects(resume(other), {
        code: 'BAD_CHECKPOINT',
        message:
          /the sharing of the weights has changed since: its digest was map-1, now (map-2|none)/,
      });
    const { steps } = await resume('map-1');
    assert.equal(steps, whole.steps);
  });

  it('are refused by a job, with what differs', async () => {
    const events: unknown[] = [];
    await assert.rejects(
      simulate({
        program: sharedBy('map-1'),
        workers: 2,
        seed: 1,
        worker: (at) => (at === 1 ? { program: sharedBy('map-2') } : {}),
        onEvent: (event) => events.push(event),
        deadlines: { joinMs: 2000 },
      }),
    );
    assert.match(JSON.stringify(events), /another sharing of its weights than worker w\d has/);
  });
});
