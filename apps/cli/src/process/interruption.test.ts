import assert from 'node:assert/strict';
import { TuttiError } from '@tutti/runtime';
import type { RunEvent, StartedEvent } from '@tutti/telemetry';
import type { CliContext } from './context.js';
import { goingOnWith, interruptionOf } from './interruption.js';

const started: StartedEvent = {
  ...{ event: 'started', job: 'j', workers: 2, servers: 1, shards: 4, steps: 99 },
  storedParameters: 3,
};
const step = (at: number): RunEvent => ({
  ...{ event: 'step', step: at, epoch: 1, loss: 1, metrics: {}, examples: 4 },
  ...{ examplesPerSecond: 1, stepMs: 1 },
});

/** A run that has told these events. */
function runWith(events: readonly RunEvent[]) {
  const told: RunEvent[] = [];
  const listeners: ((event: RunEvent) => void)[] = [];
  let lastWords = () => {};
  const renderer = Object.assign((event: RunEvent) => void told.push(event), {
    note() {},
    close() {},
  });
  const context = {
    onStop: (_, words) => {
      lastWords = words!;
    },
  } satisfies Pick<CliContext, 'onStop'> as unknown as CliContext;
  const output = {
    renderer,
    observe: ({ listen }: { listen(event: RunEvent): void }) => void listeners.push(listen),
  };
  const interruption = interruptionOf(context, output, goingOnWith('tutti train a.ts'));
  for (const event of events) for (const listen of listeners) listen(event);
  function endAtOnce() {
    lastWords();
    const last = told.at(-1)!;
    assert.ok(last.event === 'failed');
    const { code, message, remedy, details } = last;
    assert.equal(code, 'ABORTED');
    return { message, remedy, details };
  }
  return { interruption, endAtOnce };
}

const GOES_ON = 'Go on with: tutti train a.ts --checkpoint-dir runs/a --resume latest';

describe('a run that somebody ends at once', () => {
  it('says what it came to, what is saved and how to go on', () => {
    const saved: RunEvent = { event: 'checkpoint', step: 5, path: 'runs/a/step-5' };
    assert.deepEqual(runWith([started, step(5), saved, step(6), step(7)]).endAtOnce(), {
      message: 'Ended at once after step 7; step 5 is saved in runs/a/step-5',
      remedy: GOES_ON,
      details: { step: 5, reached: 7, checkpoint: 'runs/a/step-5' },
    });
  });

  it('has what it went on from', () => {
    const resumed = { step: 5, path: 'runs/a/step-5' };
    assert.deepEqual(runWith([{ ...started, resumed }]).endAtOnce(), {
      message: 'Ended at once after step 5; step 5 is saved in runs/a/step-5',
      remedy: GOES_ON,
      details: { step: 5, reached: 5, checkpoint: 'runs/a/step-5' },
    });
  });

  it('says so where nothing is saved', () => {
    assert.deepEqual(runWith([started, step(1)]).endAtOnce(), {
      message: 'Ended at once after step 1; nothing is saved',
      remedy: 'Start it again. --checkpoint-every keeps what was trained.',
      details: { step: 0, reached: 1 },
    });
    assert.equal(
      runWith([]).endAtOnce().message,
      'Ended at once before the first step; nothing is saved',
    );
  });
});

describe('a run that somebody ends', () => {
  it('says how to go on if it has left a checkpoint', async () => {
    const { interruption } = runWith([]);
    const said = async (details: Record<string, unknown>) => {
      const stopped = new TuttiError('ABORTED', 'Stopped', { remedy: 'Start it again.', details });
      const error = await interruption.sayingHowToGoOn(Promise.reject(stopped)).catch((e) => e);
      return error.remedy;
    };
    assert.equal(await said({ checkpoint: 'runs/a/step-5' }), GOES_ON);
    assert.equal(await said({}), 'Start it again.');
  });
});
