import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as lasting } from 'node:timers/promises';
import type { RunEvent } from '@tutti/telemetry';
import { createKeyFile } from '@tutti/transport';
import { type Cluster, type ClusterInit, type Role, startCluster } from './cluster.js';
import type { Gate } from './gate.js';
import { gatedRegression, HELD_FLAGS } from './gated-program.js';
import { createHosts, type Hosts } from './hosts.js';
import { createFolder, type Folder } from './program-files.js';
import { runLocal } from './run-local.js';

/** Every so many steps the workers stop at the gate. */
const HELD_EVERY = 8;

/**
 * TCP sends again 0.2, 0.6, 1.4, 3 and 6.2 s after a cut began. After 3 s of silence a peer counts as
 * gone; a short cut may take a busy machine longer than it should.
 */
const SHORT_MS = 700;
const SHORT_PATIENCE_MS = 8000;
const LONG_MS = 4500;

const MBIT = 16;
/** What a link may send at once after it was idle; see hosts.ts. */
const BURST_BYTES = 32 * 1024;

const hostOf = (role: Role) => (role.startsWith('w') ? role : role.replace(/-\d+$/, ''));

type Direction = readonly [from: string, to: string];
const both = (a: string, b: string): readonly Direction[] => [
  [a, b],
  [b, a],
];
/** Each pair of roles in turn: after one cut its connection recovers while another lasts. */
const SHORT_CUTS: Record<string, readonly Direction[]> = {
  'from a worker to the coordinator': [['w1', 'coordinator']],
  'from a worker to the server': [['w1', 'server']],
  'from the coordinator to the server': [['coordinator', 'server']],
  'from the coordinator to a worker': [['coordinator', 'w1']],
  'from the server to a worker': [['server', 'w1']],
  'from the server to the coordinator': [['server', 'coordinator']],
  'between a worker and the coordinator': both('w1', 'coordinator'),
  'between a worker and the server': both('w1', 'server'),
  'between the coordinator and the server': both('coordinator', 'server'),
};

describe('a network between hosts', () => {
  let folder: Folder;
  let hosts: Hosts;
  let keys: Folder;
  let keyFile: string;
  let gate: Gate;
  let cluster: Cluster | undefined;
  let program: string;

  before(async function () {
    const made = await createHosts(['coordinator', 'server', 'w0', 'w1']);
    if (typeof made === 'string') {
      console.log(`    skipped: ${made}`);
      return this.skip();
    }
    hosts = made;
    keys = await createFolder();
    keyFile = join(keys.path, 'job.key');
    await createKeyFile(keyFile);
  });
  after(() => Promise.all([hosts?.end(), keys?.remove()]));

  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(async () => {
    await cluster?.end();
    cluster = undefined;
    await gate.close();
    await folder.remove();
  });

  /** Workers stand at the gate before each step for which `when` holds. */
  async function prepare(when = `step % ${HELD_EVERY} === 0`, options = '{ epochs: 12 }') {
    ({ program, gate } = await gatedRegression(folder, when, options));
  }

  async function start(init: Partial<ClusterInit> = {}): Promise<Cluster> {
    gate.open(0);
    cluster = await startCluster({
      program,
      folder: folder.path,
      workers: 2,
      keyFile,
      place: (role) => ({ host: hosts.addressOf(hostOf(role)), via: hosts.via(hostOf(role)) }),
      ...init,
      flags: [...HELD_FLAGS, ...(init.flags ?? [])],
    });
    return cluster;
  }

  /** Lets the run go to its end. */
  async function assertDigest(run: Cluster) {
    gate.open(Number.POSITIVE_INFINITY);
    const { digest } = await run.finished;
    assert.equal(digest, (await runLocal(program, { workers: 0 }).result).digest);
  }

  /** Lets a held run go on into a cut. */
  async function cutAt(run: Cluster, step: number, cut: readonly Direction[]) {
    await run.until(() => doneSteps(run) >= step);
    for (const [from, to] of cut) await hosts.cut(from, to);
    gate.open(step);
  }
  async function heal(cut: readonly Direction[]) {
    for (const [from, to] of cut) await hosts.heal(from, to);
  }

  it('that is cut anywhere, and heals before anybody gives up, changes nothing', async () => {
    await prepare();
    const run = await start({ patienceMs: SHORT_PATIENCE_MS });
    for (const [at, [where, cut]] of Object.entries(SHORT_CUTS).entries()) {
      await cutAt(run, (at + 1) * HELD_EVERY, cut);
      await lasting(SHORT_MS);
      await heal(cut);
      assert.deepEqual(troubles(run), [], where);
    }
    await assertDigest(run);
    assert.deepEqual(troubles(run), []);
  });

  it('that is cut for longer makes a worker leave and join again: the digest is the same', async () => {
    await prepare();
    const run = await start({ flags: ['--min-workers', '1'] });
    const cuts = [
      [['w1', 'coordinator']],
      [['coordinator', 'w1']],
      both('w1', 'coordinator'),
    ] as const;
    for (const [at, cut] of cuts.entries()) {
      const step = (at + 1) * HELD_EVERY;
      await cutAt(run, step, cut);
      await run.until(() => count(run, 'worker-left') > at);
      await heal(cut);
      await run.until(() => count(run, 'worker-joined') > 2 + at);
    }
    await assertDigest(run);
    assert.deepEqual(troubles(run).length, cuts.length);
  });

  it('that is cut for longer before a server makes all wait for it: the digest is the same', async () => {
    await prepare();
    const run = await start();
    const cuts = [
      both('w1', 'server'),
      [['coordinator', 'server']],
      [['server', 'coordinator']],
    ] as const;
    for (const [at, cut] of cuts.entries()) {
      await cutAt(run, (at + 1) * HELD_EVERY, cut);
      if (at === 0) await lasting(LONG_MS);
      else await run.until(() => count(run, 'warning') >= at);
      await heal(cut);
      await run.until(() => doneSteps(run) >= (at + 2) * HELD_EVERY);
    }
    await assertDigest(run);
    assert.deepEqual(troubles(run).length, cuts.length - 1);
  });

  it('that is slow gives the same digest', async () => {
    const [features, held, last] = [20_000, 2, 14];
    await prepare(
      `step === ${held}`,
      `{ features: ${features}, examples: 1648, batchSize: 256, epochs: 2 }`,
    );
    const run = await start();
    await run.until(() => doneSteps(run) >= held);
    const discipline = await hosts.slow('server', { mbit: MBIT, delayMs: 20 });
    const begun = performance.now();
    if (discipline !== 'netem')
      console.log(`      (by ${discipline}, without delay: this kernel has no netem)`);
    await assertDigest(run);
    assert.deepEqual(troubles(run), []);
    // By the link's own account everything went through it, to one worker at the least of each step.
    assert.equal(doneSteps(run), last);
    const bytes = await hosts.sentBy('server');
    assert.ok(bytes > (last - held - 1) * features * 4, `only ${bytes} bytes`);
    const leastMs = (8 * (bytes - BURST_BYTES)) / (1000 * MBIT);
    const tookMs = performance.now() - begun;
    assert.ok(tookMs > leastMs, `${bytes} bytes in ${tookMs} ms: the link was not slow`);
  });
});

function count({ events }: Cluster, name: RunEvent['event']): number {
  return events.filter(({ event }) => event === name).length;
}

function doneSteps({ events }: Cluster): number {
  return Math.max(0, ...events.map((event) => (event.event === 'step' ? event.step : 0)));
}

const troubles = ({ events }: Cluster) =>
  events.filter(({ event }) => event === 'worker-left' || event === 'warning');
