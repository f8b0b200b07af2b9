import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { LocalOptions } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import { startCluster } from './cluster.js';
import { gatedRegression, HELD_FLAGS } from './gated-program.js';
import { ownProcesses } from './own-processes.js';
import { createFolder } from './program-files.js';
import { runLocal } from './run-local.js';

const PROGRAM = fileURLToPath(new URL('../programs/idle.ts', import.meta.url));
const STEPS = 60;

const serverProcesses = () => ownProcesses('server-process');
const isWarning = ({ event }: RunEvent) => event === 'warning';

/** Trains with two workers, and kills the first of the servers after a third of the steps. */
async function trainAndKill(options: LocalOptions) {
  const events: RunEvent[] = [];
  let killed = false;
  const run = runLocal(PROGRAM, { workers: 2, shards: 2, steps: STEPS, ...options });
  for await (const event of run) {
    events.push(event);
    if (killed || event.event !== 'step' || event.step < STEPS / 3) continue;
    killed = true;
    process.kill(serverProcesses()[0]!, 'SIGKILL');
  }
  const steps = events.filter(({ event }) => event === 'step').length;
  return { digest: (await run.result).digest, steps, events };
}

(process.platform === 'linux' ? describe : describe.skip)('a server process that is killed', () => {
  let expected: string;
  before(async () => {
    const options = { workers: 0, shards: 2, steps: STEPS };
    expected = (await runLocal(PROGRAM, options).result).digest;
  });

  it('is replaced by its standby: no step is computed twice', async () => {
    const { digest, steps, events } = await trainAndKill({ servers: 1, replicas: 1 });
    assert.equal(digest, expected);
    assert.equal(steps, STEPS);
    assert.ok(events.some(isWarning), 'nobody was killed');
    assert.deepEqual(serverProcesses(), []);
  });

  for (const aggregation of ['coordinator', 'server'] as const)
    it(`is started again, and the run goes back by itself to the same digest (sums by the ${aggregation})`, async () => {
      const { digest, steps, events } = await trainAndKill({ servers: 2, aggregation });
      assert.equal(digest, expected);
      assert.ok(steps > STEPS, 'no step was computed twice');
      assert.ok(events.some(isWarning), 'nobody was killed');
      assert.deepEqual(serverProcesses(), []);
    });
});

it('a server process that is stopped, and replaced by its standby, ends by itself when it goes on', async () => {
  const folder = await createFolder();
  const { program, gate } = await gatedRegression(folder, 'step === 8');
  const options = { workers: 2, replicas: 1, flags: HELD_FLAGS };
  const cluster = await startCluster({ program, folder: folder.path, ...options });
  try {
    await cluster.until(() => cluster.events.some((event) => event.event === 'step'));
    cluster.signal('server-0', 'SIGSTOP');
    await cluster.until(() => cluster.events.some(isWarning));
    cluster.signal('server-0', 'SIGCONT');
    const { code, stdout } = await cluster.ended('server-0');
    assert.equal(code, 0);
    const { event, by, reason } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
    assert.equal(event, 'replaced');
    assert.match(by, /^tcp:\/\/127\.0\.0\.1:\d+$/);
    assert.match(reason, /was lost/);
    gate.open(Number.POSITIVE_INFINITY);
    const { digest } = await cluster.finished;
    assert.equal(digest, (await runLocal(program, { workers: 0 }).result).digest);
  } finally {
    await cluster.end();
    await gate.close();
    await folder.remove();
  }
});
