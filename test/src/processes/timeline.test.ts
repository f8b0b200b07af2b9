import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { regression } from '../programs/regression.js';
import { type Command, tutti } from './command.js';
import { eachTest } from './each-test.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

const each = eachTest(import.meta.url);
const STEPS = 12;
const isStep = (line: string) => line.includes('"event":"step"');

interface TraceEvent extends Record<'pid' | 'tid' | 'ts', number> {
  readonly name: string;
  readonly ph: string;
  readonly dur?: number;
  readonly args: { readonly step?: number; readonly name?: string };
}

/** What a role passed, in microseconds. */
interface Passed {
  readonly role: string;
  readonly thread: string;
  readonly station: string;
  readonly step: number;
  readonly from: number;
  readonly to: number;
}

/** @param torn whether the array may lack its end */
async function readTimeline(path: string, torn = false): Promise<Passed[]> {
  const text = await readFile(path, 'utf8');
  const events: TraceEvent[] = JSON.parse(torn ? `${text.trimEnd().replace(/,$/, '')}]` : text);
  const threads = new Map<string, string>();
  for (const { name, pid, tid, args } of events)
    if (name === 'thread_name') threads.set(`${pid}/${tid}`, args.name!);
  return events.flatMap(({ name: station, ph, ts, dur, pid, tid, args }): Passed[] => {
    const name = threads.get(`${pid}/${tid}`);
    if (ph !== 'X') return [];
    assert.ok(name !== undefined, `a thread without a name: ${pid}/${tid}`);
    const [role] = name.split(': ') as [string];
    const thread = `${pid}/${tid}`;
    return [{ role, thread, station, step: args.step!, from: ts, to: ts + dur! }];
  });
}

/** What is on one thread lies side by side, or one within the other. */
function assertNested(passed: readonly Passed[]) {
  for (const name of new Set(passed.map(({ thread }) => thread))) {
    const all = passed.filter(({ thread }) => thread === name);
    const open: Passed[] = [];
    for (const one of all.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
      while (open.length > 0 && open.at(-1)!.to <= one.from) open.pop();
      const around = open.at(-1);
      if (around !== undefined)
        assert.ok(one.to <= around.to, JSON.stringify([around, one], null, 1));
      open.push(one);
    }
  }
}

const stationsOf = (passed: readonly Passed[], role: string) =>
  [...new Set(passed.filter((one) => one.role === role).map(({ station }) => station))].toSorted();

const first = (passed: readonly Passed[], station: string, of: 'from' | 'to' = 'from') =>
  Math.min(...passed.filter((one) => one.station === station).map((one) => one[of]));
const last = (passed: readonly Passed[], station: string) =>
  Math.max(...passed.filter((one) => one.station === station).map(({ to }) => to));

/** Each step passes the stations in their order: none can have begun before one that it needs. */
function assertOrder(passed: readonly Passed[], stations: readonly string[]) {
  for (let step = 1; step <= STEPS; step++) {
    const own = passed.filter((one) => one.step === step);
    for (const [at, station] of stations.entries()) {
      assert.ok(Number.isFinite(first(own, station)), `${station} of step ${step}`);
      if (at === 0) continue;
      const before = stations[at - 1]!;
      assert.ok(first(own, before) <= first(own, station), `${before}, ${station}, ${step}`);
    }
  }
}

const EVALUATED = { evaluated: 40, epochs: 3, shards: 4 };
const SOURCE = regressionWith('', JSON.stringify(EVALUATED));

/** Wide enough that each of two servers has a chunk. */
const WIDE = '{ features: 66_000, examples: 32, evaluated: 8, batchSize: 8, epochs: 4, shards: 4 }';

describe('the timeline of a run', () => {
  const pathOf = () => join(each.folder.path, 'timelines', 'run.json');

  it('has each station of each step, in each process', async () => {
    const path = await each.folder.program(regressionWith('', WIDE));
    const timeline = pathOf();
    const checkpointDir = join(each.folder.path, 'run');
    const settings = { steps: STEPS, workers: 2, servers: 2, timeline, checkpointDir };
    const { digest } = await runLocal(path, settings).result;
    const passed = await readTimeline(timeline);
    assertNested(passed);

    const ofWorkers = ['add', 'evaluate', 'gradient', 'pull', 'push', 'read'];
    for (const worker of ['w0', 'w1']) assert.deepEqual(stationsOf(passed, worker), ofWorkers);
    const ofCoordinator = ['checkpoint', 'evaluate', 'give', 'step', 'sum'];
    assert.deepEqual(stationsOf(passed, 'coordinator'), ofCoordinator);
    for (const server of ['server 0', 'server 1'])
      assert.deepEqual(stationsOf(passed, server), ['send', 'update']);
    assert.equal(new Set(passed.map(({ thread }) => thread.split('/')[0])).size, 5);

    assertOrder(passed, ['read', 'gradient', 'add', 'push', 'sum', 'give', 'update', 'send']);
    for (let step = 1; step <= STEPS; step++) {
      const own = passed.filter((one) => one.step === step);
      assert.equal(own.filter(({ station }) => station === 'step').length, 1);
      assert.equal(
        new Set(own.filter((one) => one.station === 'update').map(({ role }) => role)).size,
        2,
      );
      // Who pulls waits until the weights are there, and what is sent is there before it has ended.
      assert.ok(last(own, 'pull') >= first(own, 'send'), `pull of step ${step}`);
      assert.ok(last(own, 'pull') >= last(own, 'update'), `pull of step ${step}`);
    }
    assert.equal(digest, (await runLocal(path, { workers: 0, steps: STEPS }).result).digest);
  });

  it('is there for the plain loop, in a process of its own or in this one, and for roles in one', async () => {
    const path = await each.folder.program(SOURCE);
    const program = regression(EVALUATED);
    const plain = ['checkpoint', 'evaluate', 'gradient', 'read', 'step', 'sum', 'update'];
    for (const [given, checkpointDir] of [
      [path, join(each.folder.path, 'run')],
      [program, null],
    ] as const) {
      const settings = { steps: STEPS, workers: 0, timeline: pathOf(), checkpointDir };
      await runLocal(given, settings).result;
      const passed = await readTimeline(pathOf());
      assertNested(passed);
      const expected = plain.filter(
        (station) => checkpointDir !== null || station !== 'checkpoint',
      );
      assert.deepEqual(stationsOf(passed, 'plain loop'), expected);
      assertOrder(passed, ['read', 'gradient', 'sum', 'update']);
    }
    await runLocal(program, { steps: STEPS, workers: 2, timeline: pathOf() }).result;
    const passed = await readTimeline(pathOf());
    assertNested(passed);
    const roles = [...new Set(passed.map(({ role }) => role))].toSorted();
    assert.deepEqual(roles, ['coordinator', 'server 0', 'w0', 'w1']);
    assertOrder(passed, ['gradient', 'push', 'sum', 'give', 'update', 'send']);
  });

  it('of single roles is in a file of each', async () => {
    const path = await each.folder.program(SOURCE);
    const fileOf = (role: string) => ['--timeline', join(each.folder.path, `${role}.json`)];
    const anyPort = ['--listen', 'tcp://127.0.0.1:0', '--json'];
    const addressOf = async (command: Command) =>
      JSON.parse(await command.line((line) => line.includes('"listening"'))).address as string;
    const server = tutti(['server', ...anyPort, ...fileOf('server')]);
    const coordinator = tutti([
      ...['coordinator', '--workers', '1', '--steps', `${STEPS}`, ...anyPort],
      ...['--checkpoint-dir', join(each.folder.path, 'run'), ...fileOf('coordinator')],
      ...['--server-addresses', await addressOf(server)],
    ]);
    const address = await addressOf(coordinator);
    const worker = tutti(['worker', path, '--coordinator', address, ...fileOf('worker')]);
    for (const { ended } of [server, coordinator, worker]) {
      const { code, stderr } = await ended;
      assert.equal(code, 0, stderr);
    }
    const roles = ['coordinator', 'server', 'worker'];
    const files = roles.map((role) => readTimeline(join(each.folder.path, `${role}.json`)));
    const passed = (await Promise.all(files)).flat();
    assert.deepEqual([...new Set(passed.map(({ role }) => role))].toSorted(), roles);
    assertOrder(passed, ['gradient', 'push', 'sum', 'give', 'update', 'send']);
  });

  it('is readable after all processes were killed', async () => {
    const endless = '{ epochs: 10_000_000, shards: 4 }';
    const path = await each.folder.program(regressionWith('', endless));
    const runs = ['--checkpoint-dir', join(each.folder.path, 'runs'), '--json'];
    const args = ['train', path, '--workers', '2', '--timeline', pathOf(), ...runs];
    const command = tutti(args, ['setsid']);
    // By then each of them has written a batch of 512, or two.
    await command.line((line) => isStep(line) && JSON.parse(line).step >= 600);
    process.kill(-command.process.pid!, 'SIGKILL');
    await command.ended;
    const passed = await readTimeline(pathOf(), true);
    assertNested(passed);
    const roles = [...new Set(passed.map(({ role }) => role))].toSorted();
    assert.deepEqual(roles, ['coordinator', 'server', 'w0', 'w1']);
  });

  it('that cannot be written is said before the run begins', async () => {
    const path = await each.folder.program(SOURCE);
    for (const [bad, fault] of [
      [each.folder.path, /EISDIR/],
      [path, /is there, and is no timeline/],
    ] as const) {
      const { code, stdout, stderr } = await tutti(['train', path, '--timeline', bad]).ended;
      assert.equal(code, 1);
      assert.match(stderr, fault);
      assert.match(stderr, /Give --timeline /);
      assert.ok(!/joined|training|listening|tutti status/.test(stdout + stderr), stdout + stderr);
    }
  });
});
