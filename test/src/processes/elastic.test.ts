import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import type { LocalOptions } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import { regression } from '../programs/regression.js';
import { startCluster } from './cluster.js';
import { type Command, tutti } from './command.js';
import { eachTest } from './each-test.js';
import type { Gate } from './gate.js';
import { gatedRegression, HELD_DEADLINES, HELD_FLAGS } from './gated-program.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

/** Slow enough that there is something left to do when somebody is lost. */
const EPOCHS = 12;
const slow = (more = '') =>
  regressionWith(
    `await new Promise((resolve) => setTimeout(resolve, 5));\n${more}`,
    `{ epochs: ${EPOCHS} }`,
  );

/**
 * While w1 is gone, which a file says, and not started again, the other takes its time, in many small
 * pieces: it is heard, and not done before w1 is missed.
 */
const slowWithoutW1 = (more = '') => `
  import { existsSync, writeFileSync } from 'node:fs';
  const [gone, back] = ['.gone', '.back'].map((ending) => import.meta.filename + ending);
  ${slow(`
    if (existsSync(gone) && !existsSync(back))
      await new Promise((resolve) => setTimeout(resolve, 100));
    ${more}`)}
  if (name === 'w1' && existsSync(gone)) writeFileSync(back, '');
`;

const each = eachTest(import.meta.url);
let expected: string;

/** Runs it to the end, with what is done at the first event that `fits`. */
async function run(
  path: string,
  options: LocalOptions,
  fits: (event: RunEvent) => boolean,
  disturb: () => unknown,
) {
  const events: RunEvent[] = [];
  const running = runLocal(path, options);
  let disturbed: unknown;
  for await (const event of running) {
    events.push(event);
    if (disturbed === undefined && fits(event)) disturbed = disturb() ?? true;
  }
  await disturbed;
  const named = <E extends RunEvent['event']>(name: E) =>
    events.filter((event): event is Extract<RunEvent, { event: E }> => event.event === name);
  return { digest: (await running.result).digest, named };
}

const atStep = (step: number) => (event: RunEvent) => event.event === 'step' && event.step === step;
const signal = async (name: string, which: NodeJS.Signals) =>
  process.kill((await each.roll.worker(name)).pid, which);

describe('real workers come and go:', () => {
  before(async () => {
    const { result } = runLocal(regression({ epochs: EPOCHS }), { workers: 0 });
    expected = (await result).digest;
  });

  describe('one that is lost', () => {
    it('by SIGKILL is replaced, and the digest is the same', async () => {
      const path = await each.folder.program(slow());
      const options = { workers: 2, minWorkers: 2, maxRestarts: 3 };
      const { digest, named } = await run(path, options, atStep(3), () => signal('w1', 'SIGKILL'));
      assert.equal(digest, expected);
      const [restarted, ...more] = named('worker-restarted');
      assert.deepEqual(more, []);
      assert.match(restarted!.reason, /^w1 \(pid \d+\) was killed by SIGKILL/);
      assert.deepEqual(
        [restarted!.worker, restarted!.restarts, restarted!.maxRestarts],
        ['w1', 1, 3],
      );
      assert.equal(named('worker-joined').length, 3);
      await each.roll.assertAllGone(3);
    });

    it('by SIGSTOP is noticed by its silence, ended and replaced', async () => {
      const path = await each.folder.program(slowWithoutW1());
      const options = {
        workers: 2,
        minWorkers: 2,
        maxRestarts: 1,
        // Long before the deadline for progress, but long enough for others on a busy machine.
        heartbeat: { heartbeatMs: 500, timeoutMs: 3000 },
      };
      const { digest, named } = await run(path, options, atStep(3), async () => {
        await signal('w1', 'SIGSTOP');
        await writeFile(`${path}.gone`, '');
      });
      assert.equal(digest, expected);
      assert.deepEqual(
        named('worker-left').map(({ worker, politely }) => [worker, politely]),
        [['w1', false]],
      );
      assert.match(named('worker-restarted')[0]!.reason, /^w1 \(pid \d+\) was lost and ended: /);
      await each.roll.assertAllGone(3);
    });

    it('in a loop without end is dropped at the deadline, ended and replaced', async () => {
      // Early in an epoch: for its first evaluation everybody is given more time.
      const path = await each.folder.program(
        slowWithoutW1(`
          if (name === 'w1' && step >= 8 && !existsSync(gone)) {
            writeFileSync(gone, '');
            for (;;);
          }`),
      );
      const options = {
        workers: 2,
        minWorkers: 2,
        maxRestarts: 1,
        deadlines: { progressMs: 2500 },
      };
      const { digest, named } = await run(
        path,
        options,
        () => false,
        () => {},
      );
      assert.equal(digest, expected);
      const [left, ...more] = named('worker-left');
      assert.deepEqual(more, []);
      assert.match(
        left!.reason,
        /^it owes (gradients|an evaluation) of \w+ \d+ and was not heard for \d+\.\d s$/,
      );
      assert.match(named('worker-restarted')[0]!.reason, /^w1 .* it owes (gradients|an eval)/);
      await each.roll.assertAllGone(3);
    });

    it('is waited for if it must be there: another may come from elsewhere', async () => {
      const path = await each.folder.program(slow());
      let another: Command | undefined;
      let coordinator: string | undefined;
      const options: LocalOptions = {
        workers: 2,
        minWorkers: 2,
        onEvent(event) {
          if (event.event === 'listening') coordinator = event.address;
        },
      };
      const { digest, named } = await run(path, options, atStep(3), async () => {
        await signal('w1', 'SIGKILL');
        another = tutti(['worker', path, '--coordinator', coordinator!, '--name', 'another']);
      });
      assert.equal(digest, expected);
      const { code, stdout } = await another!.ended;
      assert.equal(code, 0);
      assert.match(stdout, /another is done: [1-9]\d* micro-batches computed/);
      const warnings = named('warning').map(({ message }) => message);
      assert.ok(warnings.some((text) => /^w1 \(pid \d+\) was killed by SIGKILL/.test(text)));
    });
  });

  describe('one that is told to go by SIGTERM', () => {
    /** The run does not end before it has left. */
    let gate: Gate;
    let path: string;
    beforeEach(async () => {
      const last = 7 * EPOCHS - 1;
      const options = `{ epochs: ${EPOCHS} }`;
      ({ program: path, gate } = await gatedRegression(each.folder, `step === ${last}`, options));
    });
    afterEach(() => gate.close());
    const openIfLeft = ({ event }: RunEvent) =>
      event === 'worker-left' && gate.open(Number.POSITIVE_INFINITY);

    it('hands over and ends with 0, and the digest is the same', async () => {
      const cluster = await startCluster({
        program: path,
        folder: each.folder.path,
        workers: 2,
        flags: [...HELD_FLAGS, '--min-workers', '1'],
        onEvent: openIfLeft,
      });
      try {
        await cluster.until(() => cluster.events.some(atStep(3)));
        cluster.signal('w1', 'SIGTERM');
        // Holds all processes, also the one that left, to exit code 0.
        assert.equal((await cluster.finished).digest, expected);
        assert.deepEqual(
          cluster.events.flatMap((event) =>
            event.event === 'worker-left' ? [[event.worker, event.politely]] : [],
          ),
          [['w1', true]],
        );
      } finally {
        await cluster.end();
      }
    });

    it('is not replaced by the launcher', async () => {
      const options = {
        ...{ workers: 2, minWorkers: 1, maxRestarts: 1 },
        ...{ deadlines: HELD_DEADLINES, onEvent: openIfLeft },
      };
      const { digest, named } = await run(path, options, atStep(3), () => signal('w1', 'SIGTERM'));
      assert.equal(digest, expected);
      assert.deepEqual(
        named('worker-left').map(({ worker, politely }) => [worker, politely]),
        [['w1', true]],
      );
      assert.deepEqual(named('worker-restarted'), []);
      await each.roll.assertAllGone(2);
    });
  });
});
