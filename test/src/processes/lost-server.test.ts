import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runLocal } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';

const PROGRAM = fileURLToPath(new URL('../programs/idle.ts', import.meta.url));
const STEPS = 60;

/** The server processes that this one has started. */
function serverProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [, , , parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return Number(parent) === process.pid && command.includes('server-process');
      } catch {
        // Ended while we looked.
        return false;
      }
    });
}

/** Trains with two workers, and kills the first of the servers after a third of the steps. */
async function trainAndKill(options: { servers: number; replicas: number }) {
  const events: RunEvent[] = [];
  const run = runLocal(PROGRAM, { workers: 2, shards: 2, steps: STEPS, ...options });
  for await (const event of run) {
    events.push(event);
    if (event.event === 'step' && event.step === STEPS / 3 && events.every(isNoWarning))
      process.kill(serverProcesses()[0]!, 'SIGKILL');
  }
  const steps = events.filter(({ event }) => event === 'step').length;
  return { digest: (await run.result).digest, steps, events };
}

const isNoWarning = ({ event }: RunEvent) => event !== 'warning';

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
    assert.ok(!events.every(isNoWarning), 'nobody was killed');
    assert.deepEqual(serverProcesses(), []);
  });

  it('is started again, and the run goes back by itself to the same digest', async () => {
    const { digest, steps } = await trainAndKill({ servers: 2, replicas: 0 });
    assert.equal(digest, expected);
    assert.ok(steps > STEPS, 'no step was computed twice');
    assert.deepEqual(serverProcesses(), []);
  });
});
