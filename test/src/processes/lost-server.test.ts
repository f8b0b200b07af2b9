import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { askStatus } from '@tutti/coordinator';
import type { LocalOptions } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import { createZmqTransport } from '@tutti/transport';
import { startCluster } from './cluster.js';
import { gatedRegression, HELD_FLAGS } from './gated-program.js';
import { ownProcesses } from './own-processes.js';
import { createFolder } from './program-files.js';
import { runLocal } from './run-local.js';

const PROGRAM = fileURLToPath(new URL('../programs/idle.ts', import.meta.url));
const STEPS = 60;

/** Waits until a coordinator has heard from one of its servers within the last second. */
async function heardFrom(server: number, address: string) {
  const transport = createZmqTransport();
  for (;;) {
    const { servers } = await askStatus({ address, transport });
    if (servers[server]!.heardMs! < 1000) return;
  }
}

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

  it('is started again, and given what its standby has, which can be killed then: no step is computed twice', async () => {
    const run = runLocal(PROGRAM, { workers: 2, shards: 2, steps: 1_000_000, replicas: 1 });
    const steps: number[] = [];
    let caughtUp = 0;
    // Each time the one that has been there for longest.
    const kill = () => process.kill(serverProcesses()[0]!, 'SIGKILL');
    for await (const event of run) {
      if (event.event === 'step' && steps.push(event.step) === 20) kill();
      if (event.event === 'server-caught-up' && ++caughtUp < 3) kill();
      if (caughtUp === 3) break;
    }
    await run.stop();
    assert.deepEqual(
      steps,
      steps.map((_, at) => at + 1),
    );
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

it('a server process that is stopped is given what its standby has when it goes on, which can be killed then', async () => {
  const folder = await createFolder();
  const { program, gate } = await gatedRegression(folder, 'step === 8 || step === 11');
  const options = { workers: 2, replicas: 1, flags: HELD_FLAGS };
  const cluster = await startCluster({ program, folder: folder.path, ...options });
  try {
    await cluster.until(() => cluster.events.some((event) => event.event === 'step'));
    cluster.signal('server-0', 'SIGSTOP');
    await cluster.until(() => cluster.events.some(isWarning));
    cluster.signal('server-0', 'SIGCONT');
    await heardFrom(0, cluster.address('coordinator'));
    gate.open(8);
    await cluster.until(() => cluster.events.some((event) => event.event === 'server-caught-up'));
    await cluster.kill('server-1');
    gate.open(Number.POSITIVE_INFINITY);
    const { digest } = await cluster.finished;
    const steps = cluster.events.flatMap((event) => (event.event === 'step' ? event.step : []));
    assert.deepEqual(
      steps,
      steps.map((_, at) => at + 1),
    );
    assert.equal(digest, (await runLocal(program, { workers: 0 }).result).digest);
  } finally {
    await cluster.end();
    await gate.close();
    await folder.remove();
  }
});
