import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as lasting } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runLocal } from '@tutti/launch';
import { type Cluster, type ClusterInit, type Role, startCluster } from './cluster.js';
import { createGate, type Gate } from './gate.js';
import { createHosts, type Hosts } from './hosts.js';
import { createFolder, type Folder, regressionWith } from './program-files.js';

const GATE = JSON.stringify(fileURLToPath(new URL('./gate.ts', import.meta.url)));
/** Every so many steps the workers stop at the gate. */
const HELD_EVERY = 8;

/** A third of the silence that the transport takes for an end: TCP sends again after up to twice the cut. */
const SHORT_MS = 1000;
/** More than that silence. */
const LONG_MS = 4500;

const hostOf = (role: Role) => (role.startsWith('w') ? role : role.replace(/-\d+$/, ''));

type Direction = readonly [from: string, to: string];
const both = (a: string, b: string): Direction[] => [
  [a, b],
  [b, a],
];
const CUTS: Record<string, readonly Direction[]> = {
  'from a worker to the coordinator': [['w1', 'coordinator']],
  'from the coordinator to a worker': [['coordinator', 'w1']],
  'between a worker and the coordinator': both('w1', 'coordinator'),
  'from a worker to the server': [['w1', 'server']],
  'from the server to a worker': [['server', 'w1']],
  'between a worker and the server': both('w1', 'server'),
  'from the coordinator to the server': [['coordinator', 'server']],
  'from the server to the coordinator': [['server', 'coordinator']],
  'between the coordinator and the server': both('coordinator', 'server'),
};

describe('a network between hosts', () => {
  let folder: Folder;
  let hosts: Hosts;
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
  });
  after(() => hosts?.end());

  beforeEach(async () => {
    folder = await createFolder();
    const path = join(folder.path, 'gate');
    gate = await createGate(path);
    const statement = `if (step % ${HELD_EVERY} === 0) await passGate(${JSON.stringify(path)}, step);`;
    const source = regressionWith(statement, '{ epochs: 12 }');
    program = await folder.program(`import { passGate } from ${GATE};\n${source}`);
  });
  afterEach(async () => {
    await cluster?.end();
    cluster = undefined;
    await gate.close();
    await folder.remove();
  });

  async function start(init: Partial<ClusterInit> = {}): Promise<Cluster> {
    gate.open(0);
    cluster = await startCluster({
      program,
      folder: folder.path,
      workers: 2,
      place: (role) => ({ host: hosts.addressOf(hostOf(role)), via: hosts.via(hostOf(role)) }),
      ...init,
    });
    return cluster;
  }

  /** Lets the run go to its end. */
  async function assertDigest(run: Cluster) {
    gate.open(Number.POSITIVE_INFINITY);
    const { digest } = await run.finished;
    assert.equal(digest, (await runLocal(program, { workers: 0 }).result).digest);
  }

  const stepsOf = ({ events }: Cluster) =>
    events.reduce((most, event) => (event.event === 'step' ? Math.max(most, event.step) : most), 0);

  it('that is cut anywhere and heals before anybody gives up changes nothing', async () => {
    const run = await start();
    for (const [at, [where, pairs]] of Object.entries(CUTS).entries()) {
      const held = (at + 1) * HELD_EVERY;
      await run.until(() => stepsOf(run) >= held);
      for (const [from, to] of pairs) await hosts.cut(from, to);
      gate.open(held);
      await lasting(SHORT_MS);
      console.log(where, stepsOf(run)-held);
      for (const [from, to] of pairs) await hosts.heal(from, to);
      const names = run.events.map(({ event }) => event);
      assert.ok(!names.includes('worker-left') && !names.includes('warning'), where);
    }
    await assertDigest(run);
    const names = run.events.map(({ event }) => event);
      assert.ok(!names.includes('worker-left') && !names.includes('warning'));
  });

  it('that is cut for longer changes nothing in the digest', async () => {
    const run = await start({ flags: ['--min-workers', '1'] });
    for (const [at, [where, pairs]] of Object.entries(CUTS).entries()) {
      const held = (at + 1) * HELD_EVERY;
      await run.until(() => stepsOf(run) >= held);
      for (const [from, to] of pairs) await hosts.cut(from, to);
      const t = Date.now(); const n = run.events.length;
      gate.open(held);
      await lasting(LONG_MS);
      console.log(where, stepsOf(run)-held, run.events.slice(n).filter(e => e.event !== 'step' && e.event !== 'epoch'));
      for (const [from, to] of pairs) await hosts.heal(from, to);
      const t2 = Date.now(); const n2 = run.events.length;
      await run.until(() => stepsOf(run) >= held + HELD_EVERY);
      await lasting(LONG_MS);
      console.log(Date.now() - t2 - LONG_MS, run.events.slice(n2).filter(e => e.event !== 'step' && e.event !== 'epoch'));
    }
    await assertDigest(run);
  }).timeout(200000);
});
