import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulatedClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createTimelineFile, joinTimelineFile } from './timeline-file.js';
import { PAGE_BYTES } from './timeline-pages.js';
import { TIMELINE_BATCH, TIMELINE_BYTES, TIMELINE_FLUSH_MS } from './tunables.js';

/** As in the trace event format: complete events have a duration, metadata has none. */
interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'M';
  readonly ts: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const ORIGIN_MS = 1_790_000_000_000.25;

describe('the file of a timeline', () => {
  let folder: string;
  let path: string;
  let warnings: RunEvent[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-timeline-'));
    path = join(folder, 'made', 'timeline.json');
    warnings = [];
  });
  afterEach(() => rm(folder, { recursive: true }));

  const initOf = (pid: number, clock = createSimulatedClock()) => ({
    ...{ path, clock, pid, originMs: ORIGIN_MS, host: 'n1' },
    emit: (event: RunEvent) => void warnings.push(event),
  });
  const eventsOf = (text: string) => JSON.parse(text) as TraceEvent[];
  const read = () => eventsOf(readFileSync(path, 'utf8'));
  const stationsOf = (events: readonly TraceEvent[]) => events.filter(({ ph }) => ph === 'X');

  it('has processes, threads and complete events as the format says', async () => {
    const clock = createSimulatedClock();
    const file = await createTimelineFile(initOf(7, clock));
    const [server, worker] = [file.track('server'), file.track('w0')];
    const begun = worker.now();
    clock.advance(1);
    const inside = worker.now();
    clock.advance(2);
    worker.passed('add', inside, 0, 4);
    clock.advance(1.5);
    worker.passed('gradient', begun, 0, 3);
    server.passed('update', server.now(), 1, 0);
    worker.passed('pull', inside, -1);
    file.close();

    const events = read();
    for (const event of events) {
      assert.deepEqual(Object.keys(event).toSorted(), [
        ...['args', ...(event.ph === 'X' ? ['dur'] : []), 'name', 'ph', 'pid', 'tid', 'ts'],
      ]);
      assert.ok(['X', 'M'].includes(event.ph));
      for (const number of [event.ts, event.dur ?? 0, event.pid, event.tid])
        assert.ok(Number.isSafeInteger(number) && number >= 0, JSON.stringify(event));
    }
    const named = (name: string) => events.filter((event) => event.name === name);
    assert.deepEqual(named('process_name')[0]?.args, { name: 'server and w0' });
    const threads = new Map(named('thread_name').map(({ tid, args }) => [args.name, tid]));
    assert.deepEqual([...threads.keys()], ['server', 'w0']);
    const origin = 1000 * ORIGIN_MS;
    const ofWorker = { ph: 'X', pid: 7, tid: threads.get('w0') };
    const ofServer = { ...ofWorker, tid: threads.get('server') };
    assert.deepEqual(stationsOf(events), [
      { name: 'add', ...ofWorker, ts: origin + 1000, dur: 2000, args: { step: 1, chunk: 4 } },
      { name: 'gradient', ...ofWorker, ts: origin, dur: 4500, args: { step: 1, shard: 3 } },
      { name: 'update', ...ofServer, ts: origin + 4500, dur: 0, args: { step: 2, chunk: 0 } },
      { name: 'pull', ...ofWorker, ts: origin + 1000, dur: 3500, args: { step: 0 } },
    ]);
    assert.deepEqual(warnings, []);
  });

  it('puts what is read at the same time on threads of its own, so that all nest', async () => {
    const clock = createSimulatedClock();
    const file = await createTimelineFile(initOf(1, clock));
    const worker = file.track('w0');
    // From ... to, in milliseconds, in the order in which they end.
    for (const [from, to] of [
      [0, 2],
      [1, 3],
      [2, 4],
      [0, 4],
      [3, 5],
      [4, 6],
    ] as const) {
      clock.advance(to - clock.now());
      worker.passed('read', from, 0, 0);
    }
    file.close();
    const events = read();
    const lanes = new Map<number, TraceEvent[]>();
    for (const event of stationsOf(events))
      lanes.set(event.tid, [...(lanes.get(event.tid) ?? []), event]);
    assert.equal(lanes.size, 3);
    for (const lane of lanes.values())
      for (const [at, event] of lane.entries())
        if (at > 0) assert.ok(event.ts >= lane[at - 1]!.ts + lane[at - 1]!.dur!);
    const names = events.filter(({ name }) => name === 'thread_name').map(({ args }) => args.name);
    assert.deepEqual(names, ['w0', ...Array(3).fill('w0: read')]);
  });

  (existsSync('/dev/full') ? it : it.skip)('is not held open if it cannot be begun', async () => {
    const files = () => readdirSync('/proc/self/fd').length;
    const before = files();
    for (let round = 0; round < 5; round++)
      await assert.rejects(createTimelineFile({ ...initOf(1), path: '/dev/full' }), {
        code: 'STORAGE',
      });
    assert.equal(files(), before);
  });

  it('is written by several processes, and can be read if none of them ends it', async () => {
    const [owner, other] = [await createTimelineFile(initOf(1)), joinTimelineFile(initOf(2))];
    const [a, b] = [owner.track('coordinator'), other.track('w0')];
    for (let step = 0; step < 3 * TIMELINE_BATCH; step++) {
      a.passed('step', 0, step);
      b.passed('pull', 0, step);
    }
    const torn = readFileSync(path, 'utf8');
    for (let end = PAGE_BYTES; end <= torn.length; end += PAGE_BYTES) {
      const page = torn.slice(0, end).trimEnd();
      if (end > PAGE_BYTES) eventsOf(`${page.replace(/,$/, '')}]`);
    }
    const before = stationsOf(eventsOf(`${torn.trimEnd().replace(/,$/, '')}]`));
    assert.equal(before.length, 6 * TIMELINE_BATCH);
    b.passed('pull', 0, 9999);
    other.close();
    owner.close();
    assert.equal(stationsOf(read()).length, 6 * TIMELINE_BATCH + 1);
    b.passed('pull', 0, 10_000);
    assert.equal(stationsOf(read()).length, 6 * TIMELINE_BATCH + 1);
  });

  it('takes any name of a role, however many there are in a process', async () => {
    const file = await createTimelineFile(initOf(1));
    const roles = ['"\\\n', 'ö'.repeat(9000), ...Array.from({ length: 2000 }, (_, at) => `w${at}`)];
    for (const role of roles) file.track(role).passed('step', 0, 0);
    file.close();
    const threads = read().filter(({ name }) => name === 'thread_name');
    assert.deepEqual(
      threads.map(({ args }) => args.name),
      roles.map((role) => role.slice(0, 500)),
    );
  });

  it('gets what is older than a second with the next station', async () => {
    const clock = createSimulatedClock();
    const file = await createTimelineFile(initOf(1, clock));
    const track = file.track('coordinator');
    track.passed('step', 0, 0);
    assert.equal(statSync(path).size, PAGE_BYTES);
    clock.advance(TIMELINE_FLUSH_MS);
    track.passed('step', 0, 1);
    assert.equal(statSync(path).size, 2 * PAGE_BYTES);
    file.close();
  });

  it('ends at its bound, and says so', async () => {
    const file = await createTimelineFile(initOf(1));
    const other = joinTimelineFile(initOf(2));
    truncateSync(path, TIMELINE_BYTES);
    const tracks = [file.track('coordinator'), other.track('w0')];
    for (let step = 0; step < 3 * TIMELINE_BATCH; step++)
      for (const track of tracks) track.passed('step', 0, step);
    other.close();
    assert.equal(statSync(path).size, TIMELINE_BYTES);
    const early = [...warnings];
    file.close();
    assert.equal(statSync(path).size, TIMELINE_BYTES + PAGE_BYTES);
    const [warning] = warnings;
    assert.ok(warning?.event === 'warning' && warnings.length === 1);
    assert.match(warning.message, /is not of all steps: it has come to its bound of 64.0 MB$/);
    assert.deepEqual(early, []);
  });

  it('replaces a timeline, and nothing else', async () => {
    for (let round = 0; round < 2; round++) (await createTimelineFile(initOf(1))).close();
    const program = join(folder, 'program.ts');
    await writeFile(program, 'export default {};');
    await assert.rejects(createTimelineFile({ ...initOf(1), path: program }), {
      code: 'STORAGE',
      message: `${program} is there, and is no timeline`,
    });
    assert.equal(readFileSync(program, 'utf8'), 'export default {};');
  });

  it('says at once that it cannot be written', async () => {
    await mkdir(path, { recursive: true });
    await assert.rejects(createTimelineFile(initOf(1)), {
      code: 'STORAGE',
      message: /^The timeline cannot be written to \/.*: EISDIR/,
    });
    const file = join(folder, 'file');
    await writeFile(file, '');
    await assert.rejects(createTimelineFile({ ...initOf(1), path: join(file, 'a.json') }), {
      message: /ENOTDIR/,
    });
    assert.throws(() => joinTimelineFile({ ...initOf(1), path: join(folder, 'none') }), {
      message: /ENOENT/,
    });
  });

  it('that the disk has no room for ends early with a warning, and the run goes on', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const full = { ...initOf(1), path: '/dev/full' };
    await assert.rejects(createTimelineFile(full), { message: /ENOSPC/ });
    const file = joinTimelineFile(full);
    const track = file.track('w0');
    for (let step = 0; step < 3 * TIMELINE_BATCH; step++) track.passed('pull', 0, step);
    file.close();
    const [warning] = warnings;
    assert.ok(warning?.event === 'warning' && warnings.length === 1);
    assert.match(warning.message, /The timeline \/dev\/full ends early: ENOSPC/);
  });
});
