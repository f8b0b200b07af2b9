import assert from 'node:assert/strict';
import { setTimeout as lasting } from 'node:timers/promises';
import { createRandom } from '@tutti/runtime';
import { type Cluster, type Role, startCluster } from './cluster.js';
import { gatedRegression, HELD_FLAGS } from './gated-program.js';
import { createFolder } from './program-files.js';
import { runLocal } from './run-local.js';

const STEPS = 210;
/** The last steps wait until everybody is back. */
const HELD = 200;
const WORKERS = 3;

interface Fault {
  /** After so many steps, those counted that were computed twice. */
  readonly after: number;
  readonly role: Role;
  /** SIGSTOP for so long; absent: SIGKILL, and started again. */
  readonly stopMs?: number;
}

/** Each kind of fault, to somebody, in some order, at some moments. */
function scheduleOf(seed: number, servers: number): Fault[] {
  const random = createRandom('real faults', seed);
  const worker = () => `w${random.below(WORKERS)}` as const;
  const server = () => `server-${random.below(servers)}` as const;
  // Far less than the silence after which the transport counts somebody as gone.
  const stopMs = () => 300 + random.below(700);
  const faults = [
    { role: worker() },
    { role: worker() },
    { role: 'coordinator' as const },
    { role: server() },
    { role: worker(), stopMs: stopMs() },
    { role: server(), stopMs: stopMs() },
  ];
  random.shuffle(faults);
  return faults
    .map((fault) => ({ ...fault, after: 5 + random.below(HELD - 20) }))
    .sort((a, b) => a.after - b.after);
}

async function strike(cluster: Cluster, { role, stopMs }: Fault, replicas: number) {
  if (stopMs === undefined) {
    await cluster.kill(role);
    // With a standby it is not needed, and might come too late to be told of the end.
    if (!role.startsWith('server') || replicas === 0) await cluster.start(role);
  } else {
    cluster.signal(role, 'SIGSTOP');
    await lasting(stopMs);
    cluster.signal(role, 'SIGCONT');
  }
}

describe('real processes under a schedule of faults', () => {
  for (const [seed, servers, replicas, aggregation] of [
    [1, 2, 0, 'coordinator'],
    [1, 2, 0, 'server'],
    [2, 1, 1, 'coordinator'],
    [4, 2, 1, 'coordinator'],
  ] as const)
    it(`end with the same digest (seed ${seed}: ${servers} servers, ${replicas} replicas, sums at the ${aggregation})`, async () => {
      const schedule = scheduleOf(seed, servers);
      const folder = await createFolder();
      const { program, gate } = await gatedRegression(
        folder,
        `step === ${HELD}`,
        '{ epochs: 30 }',
        'await new Promise((resolve) => setTimeout(resolve, 1));',
      );
      let cluster: Cluster | undefined;
      try {
        let steps = 0;
        let reached = 0;
        const strikes: Promise<void>[] = [];
        const run = await startCluster({
          program,
          folder: folder.path,
          workers: WORKERS,
          servers,
          replicas,
          patienceMs: 6000,
          flags: [
            ...[...HELD_FLAGS, '--min-workers', '1', '--steps', String(STEPS)],
            ...['--aggregation', aggregation],
          ],
          onEvent(event) {
            if (event.event !== 'step') return;
            steps++;
            // Not their number: a coordinator that is killed may not have told its last one.
            reached = event.step;
            for (const fault of schedule.filter(({ after }) => after === steps)) {
              strikes.push(strike(cluster!, fault, replicas));
            }
          },
        });
        cluster = run;
        await run.until(() => reached >= HELD);
        await Promise.all(strikes);
        await run.until(() => everybodyIsHere(run));
        gate.open(HELD);
        const { digest } = await run.finished;
        assert.equal(strikes.length, schedule.length);
        assert.equal(digest, (await runLocal(program, { workers: 0, steps: STEPS }).result).digest);
      } finally {
        await cluster?.end();
        await gate.close();
        await folder.remove();
      }
    });
});

function everybodyIsHere({ events }: Cluster): boolean {
  const last = events.findLast(({ event }) => event === 'worker-joined' || event === 'worker-left');
  return last !== undefined && 'workers' in last && last.workers === WORKERS;
}
