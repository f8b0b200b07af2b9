import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import type { MemoryNetwork } from '@tutti/transport/internal';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';
import { createMemoryCheckpoints } from '../simulation/memory-checkpoints.js';

const program = regression({ features: 66_000, examples: 48, epochs: 2, batchSize: 8 });
const ALL = ['coordinator', 'worker-0', 'worker-2', 'worker-3'];

/**
 * The process of w1 hangs once step 5 is done, and with it the server that it hosts.
 * @param stopped whether nothing of it is heard any more, not even that its connections stand
 * @param then what somebody does once the run says what it waits for: starts another, ends the run, or nothing
 */
async function withHungHost(stopped: boolean, then: 'start' | 'end' | 'nothing') {
  const events: RunEvent[] = [];
  const checkpoints = createMemoryCheckpoints({ every: { steps: 2 } });
  const interrupt = new AbortController();
  let hangs = false;
  let asked = false;
  const hang = (network: MemoryNetwork) => {
    hangs = true;
    if (stopped) for (const host of ALL) network.cut('worker-1', host);
  };
  const isAsked = () =>
    events.some((event) => event.event === 'waiting' && /hosts one/.test(event.what));
  const run = simulate({
    ...{ program, workers: 3, minWorkers: 1, servers: 'colocated', seed: 1 },
    checkpoints: checkpoints.sink,
    interrupt: interrupt.signal,
    onEvent: (event) => events.push(event),
    hangs: (host) => hangs && host === 'worker-1',
    disturb(network, _clock, join) {
      if (!hangs && events.some((event) => event.event === 'step' && event.step === 5))
        hang(network);
      if (asked || !isAsked()) return;
      asked = true;
      if (then === 'start') join();
      if (then === 'end') interrupt.abort();
    },
  });
  const outcome = await run.then(
    ({ result }) => ({ result, error: undefined }),
    (error: Error & { remedy?: string }) => ({ result: undefined, error }),
  );
  const warnings = events.flatMap((event) => (event.event === 'warning' ? [event.message] : []));
  return { ...outcome, events, warnings };
}

const NAMED = /^the server at worker-1:1 in the process of worker w1$/;
const REMEDY =
  /^End that worker if it hangs\. Start one: tutti worker <program> --coordinator coordinator:1 --servers colocated\. .* last checkpoint/;

describe('a worker that hangs, and with it the server that it hosts,', () => {
  for (const [how, stopped] of [
    ['in an endless loop', false],
    ['since it is stopped', true],
  ] as const) {
    it(`is named, with its server and what to do, until another comes: ${how}`, async () => {
      const { result, events, warnings } = await withHungHost(stopped, 'start');
      assert.equal(result?.digest, (await runLocal(program, { workers: 0 }).result).digest);
      const waits = events.flatMap((event) => (event.event === 'waiting' ? [event] : []));
      const wait = waits.find(({ who, by }) => by === undefined && NAMED.test(who));
      assert.ok(wait !== undefined, JSON.stringify(waits));
      assert.equal(wait.what, 'answer, or another worker to come whose process hosts one');
      assert.match(wait.remedy, REMEDY);
      const left = events.flatMap((event) => (event.event === 'worker-left' ? [event.worker] : []));
      assert.deepEqual(left, ['w1']);
      assert.ok(
        warnings.some((text) =>
          /^the server at worker-1:1.* is held by the server at worker-3:1/.test(text),
        ),
        warnings.join('\n'),
      );
      const back = warnings.filter((text) => text.startsWith('The weights went back'));
      assert.equal(back.length, 1, warnings.join('\n'));
      assert.match(back[0]!, /to version [46] \(memory/);
    });

    it(`ends the run after a while where nobody comes, which names both: ${how}`, async () => {
      const { error } = await withHungHost(stopped, 'nothing');
      assert.match(
        error?.message ?? '',
        /^Waited 120\.0 s for the server at worker-1:1 in the process of worker w1 to answer/,
      );
      assert.match(error?.remedy ?? '', REMEDY);
    });

    it(`is not awaited by a run that is ended, which names the checkpoint that is left: ${how}`, async () => {
      const { error } = await withHungHost(stopped, 'end');
      assert.match(
        error?.message ?? '',
        /^Stopped after step [56]\. What came after step 4, which is saved in memory\/4, is lost: the server at worker-1:1 in the process of worker w1 did not come back$/,
      );
    });
  }
});
