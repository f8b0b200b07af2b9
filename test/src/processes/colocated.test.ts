import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { LocalOptions } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import { startCluster } from './cluster.js';
import { tutti } from './command.js';
import { eachTest } from './each-test.js';
import { gatedRegression, HELD_DEADLINES, HELD_FLAGS } from './gated-program.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

const each = eachTest(import.meta.url);

/** More chunks than servers. */
const SIZE = { features: 2000, epochs: 6 };
const chunkFloats = 512;
const OPTIONS = { workers: 2, servers: 'colocated', chunkFloats } as const;

const kill = async (name: string, signal: NodeJS.Signals) =>
  process.kill((await each.roll.worker(name)).pid, signal);

/** Runs it to the end; `w1` is sent a signal at the fifth step. */
async function struck(path: string, options: LocalOptions, signal: NodeJS.Signals) {
  const events: RunEvent[] = [];
  let sent: Promise<unknown> | undefined;
  const running = runLocal(path, {
    ...options,
    onEvent: [
      ...[options.onEvent ?? []].flat(),
      (event) => {
        events.push(event);
        if (event.event === 'step' && event.step === 5) sent ??= kill('w1', signal);
      },
    ],
  });
  const result = await running.result;
  await sent;
  const named = <E extends RunEvent['event']>(name: E) =>
    events.filter((event): event is Extract<RunEvent, { event: E }> => event.event === name);
  return { ...result, named };
}

describe('processes of workers that host servers', () => {
  let path: string;
  let expected: string;

  /** Workers wait where `when` holds, until the test lets them. */
  async function program(when: string, statement = '') {
    const gated = await gatedRegression(each.folder, when, JSON.stringify(SIZE), statement);
    path = gated.program;
    const plain = await each.folder.program(regressionWith('', JSON.stringify(SIZE)), 'plain.ts');
    expected = (await runLocal(plain, { workers: 0, chunkFloats }).result).digest;
    return gated;
  }

  it('have the digest of the plain loop', async () => {
    const { gate } = await program('false');
    for (const workers of [1, 3])
      assert.equal((await runLocal(path, { ...OPTIONS, workers }).result).digest, expected);
    await gate.close();
    await each.roll.assertAllGone(5);
  });

  it('take the run back to its last checkpoint when one is killed, to the same digest', async () => {
    const { gate } = await program(`name === 'w1' && step === 7`);
    const { digest, named } = await struck(
      path,
      {
        ...{ ...OPTIONS, maxRestarts: 1, checkpointEvery: { steps: 2 }, deadlines: HELD_DEADLINES },
        checkpointDir: each.folder.path,
        onEvent(event) {
          if (event.event === 'worker-restarted') gate.open(Number.POSITIVE_INFINITY);
        },
      },
      'SIGKILL',
    );
    await gate.close();
    assert.equal(digest, expected);
    assert.deepEqual(
      named('worker-restarted').map(({ worker }) => worker),
      ['w1'],
    );
    const warnings = named('warning').map(({ message }) => message);
    assert.ok(
      warnings.some((text) => / does not answer\. Its range is held by the server at /.test(text)),
    );
    const back = warnings.find((text) => text.startsWith('The weights went back'));
    assert.match(back ?? '', /to version [246] \(.*step-0+[246]\)/);
  });

  it('end the run at once when one is killed that may not be replaced', async () => {
    const { gate } = await program(`name === 'w1' && step === 7`);
    const run = struck(path, { ...OPTIONS, minWorkers: 1, deadlines: HELD_DEADLINES }, 'SIGKILL');
    await assert.rejects(run, {
      code: 'CHILD_DIED',
      message: /^w1 \(pid \d+\) was killed by SIGKILL/,
      remedy: /gone with it.*--max-restarts.*--resume/,
    });
    await gate.close();
    await each.roll.assertAllGone(3);
  });

  it('go on where they are when one is killed and another holds the same, to the same digest', async () => {
    const { gate } = await program(`name === 'w1' && step === 7`);
    const { digest, named } = await struck(
      path,
      {
        ...{ ...OPTIONS, replicas: 1, minWorkers: 1, deadlines: HELD_DEADLINES },
        onEvent(event) {
          if (event.event === 'worker-left') gate.open(Number.POSITIVE_INFINITY);
        },
      },
      'SIGKILL',
    );
    await gate.close();
    assert.equal(digest, expected);
    const steps = named('step').map(({ step }) => step);
    assert.deepEqual(
      steps,
      Array.from(steps, (_, at) => at + 1),
      'a step was computed twice',
    );
    const warnings = named('warning').map(({ message, remedy }) => `${message} ${remedy}`);
    assert.ok(
      warnings.some((text) =>
        /process of worker w1 is gone.* Another holds the same, and goes on\./.test(text),
      ),
    );
    assert.ok(warnings.some((text) => /^w1 \(pid \d+\) was killed by SIGKILL/.test(text)));
    assert.ok(!warnings.some((text) => /weights/.test(text)), 'weights were said to be lost');
    await each.roll.assertAllGone(2);
  });

  it('hold their part to the end when a worker leaves', async () => {
    const { gate } = await program(`name === 'w0' && step === 7`);
    const { digest, named } = await struck(
      path,
      {
        ...{ ...OPTIONS, minWorkers: 1, deadlines: HELD_DEADLINES },
        onEvent(event) {
          if (event.event === 'worker-left') gate.open(Number.POSITIVE_INFINITY);
        },
      },
      'SIGTERM',
    );
    await gate.close();
    assert.equal(digest, expected);
    assert.deepEqual(
      named('worker-left').map(({ worker, politely }) => [worker, politely]),
      [['w1', true]],
    );
    assert.deepEqual(named('warning'), []);
  });

  it('are a cluster, with a key; one that is told to go leaves, and its server stays', async () => {
    const { gate } = await program(`name === 'w0' && step === 7`);
    const keyFile = join(each.folder.path, 'job.key');
    assert.equal((await tutti(['keys', keyFile]).ended).code, 0);
    const cluster = await startCluster({
      ...{ program: path, folder: each.folder.path, workers: 2, servers: 'colocated', keyFile },
      flags: [...HELD_FLAGS, '--min-workers', '1'],
      onEvent: ({ event }) => event === 'worker-left' && gate.open(Number.POSITIVE_INFINITY),
    });
    try {
      await cluster.until(() => cluster.events.some((event) => event.event === 'step'));
      const left = cluster.ended('w1');
      cluster.signal('w1', 'SIGTERM');
      // Holds all processes, also the one that left, to exit code 0.
      assert.equal((await cluster.finished).digest, expected);
      const { stderr } = await left;
      assert.match(stderr, /This worker has left\. Its server holds its part of the weights until/);
      assert.ok(!cluster.events.some(({ event }) => event === 'warning'));
    } finally {
      await cluster.end();
      await gate.close();
    }
  });

  it('are no servers that somebody counts where nobody starts them', async () => {
    for (const command of [
      ['coordinator'],
      ['worker', path],
      ['node', path],
      ['launch', path, '--hosts', 'nowhere'],
    ]) {
      const { code, stderr } = await tutti([...command, '--servers', '2']).ended;
      assert.equal(code, 2, stderr);
      assert.match(stderr, /servers is 2 \(flag --servers\), and nothing here starts so many/);
      assert.match(stderr, /--server-addresses.*--servers colocated/);
    }
  });
});
