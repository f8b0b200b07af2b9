import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { JobStatus } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { statusText } from '../output/status-text.js';
import { inTemporaryFolder, LINE, listening, type TuttiOptions, tutti } from '../testing.js';

const anyPort = ['--json', '--listen', 'tcp://127.0.0.1:0'];

describe('tutti status', () => {
  it('shows who is waited for, of a job that gathers its workers', () =>
    inTemporaryFolder(async (folder) => {
      const stop = new AbortController();
      const { address, ran } = await listening(
        ['coordinator', '--workers', '2', '--checkpoint-dir', folder, ...anyPort],
        { signal: stop.signal },
      );
      const worker = tutti(['worker', LINE, '--json', '--name', 'anna', '--coordinator', address], {
        signal: stop.signal,
      });
      const ask = () => tutti(['status', '--json', '--coordinator', address]);
      let asked = await ask();
      // The worker needs a moment to come.
      while ((asked.json()[0]!.workers as unknown[]).length === 0) asked = await ask();
      assert.equal(asked.code, 0, asked.stderr);
      const [status] = asked.json() as unknown as [JobStatus & { event: string }];
      assert.equal(status.event, 'status');
      assert.equal(status.phase, 'gathering workers');
      assert.equal(status.program, 'line');
      assert.equal(status.workers[0]!.name, 'anna');
      assert.equal(status.waits[0]!.who, '1 of 2 workers');
      assert.match(status.waits[0]!.remedy, /^Start them: tutti worker <program> --coordinator/);

      const { code, stdout } = await tutti(['status', '--coordinator', address]);
      assert.equal(code, 0);
      assert.match(stdout, /^line \(job \S+\): gathering workers, step 0 of \d+/);
      assert.match(stdout, /\n {2}anna +\S+ +\d+ +none/);
      assert.match(stdout, /\nwaiting for 1 of 2 workers to join at tcp:.*\(here: anna\), for/);
      assert.ok(!stdout.includes('\x1b'), 'a pipe gets plain text');
      stop.abort();
      await Promise.all([ran, worker]);
    }));

  it('says that nobody listens there, and what to do', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const address = `tcp://127.0.0.1:${port}`;
    // Time goes on only to the next attempt to connect: however long one takes, there are some.
    const clock = createSimulatedClock();
    let asking = true;
    function goOn() {
      if (clock.nextDue()! <= clock.now() + 50) clock.step();
      if (asking) setImmediate(goOn);
    }
    goOn();
    const { code, stderr } = await tutti(['status', '--coordinator', address], { clock });
    asking = false;
    assert.equal(code, 1);
    assert.ok(stderr.includes(`No coordinator answers at ${address}`), stderr);
    assert.ok(stderr.includes('nobody listens there'), stderr);
    assert.ok(stderr.includes('`tutti train` or `tutti coordinator` printed'), stderr);
  });

  it('says that a server is not the one to ask', async () => {
    const stop = new AbortController();
    const { address, ran } = await listening(['server', ...anyPort], { signal: stop.signal });
    const { code, stderr } = await tutti(['status', '--coordinator', address]);
    assert.equal(code, 1);
    assert.match(stderr, /A server takes no message of type status/);
    assert.match(stderr, /which address belongs to the server and which to the coordinator/);
    stop.abort();
    await ran;
  });
});

describe('tutti status --watch', () => {
  let job: Awaited<ReturnType<typeof listening>>;
  let stop: AbortController;
  let clock: ReturnType<typeof createSimulatedClock>;
  beforeEach(async () => {
    stop = new AbortController();
    clock = createSimulatedClock();
    job = await listening(['coordinator', '--workers', '1', ...anyPort], { signal: stop.signal });
  });
  afterEach(async () => {
    stop.abort();
    await job.ran;
  });

  /** Watches; its own time only goes on in `then`, which is called with the number of each answer. */
  function watch(
    then: (answer: number, interrupt: () => void) => void,
    options: TuttiOptions = {},
    flags: readonly string[] = [],
  ) {
    const interrupting = new AbortController();
    let answers = 0;
    return tutti(['status', '--watch', '--coordinator', job.address, ...flags], {
      clock,
      signal: interrupting.signal,
      ...options,
      onText(text) {
        if (!text.includes('gathering workers')) return;
        answers++;
        // When all that follows from this answer is done, the pause has begun.
        setImmediate(() => then(answers, () => interrupting.abort()));
      },
    });
  }

  const thrice = (answer: number, interrupt: () => void) => {
    assert.equal(clock.nextDue(), clock.now() + 1000, 'the next is asked for in a second');
    if (answer === 3) interrupt();
    else clock.advance(1000);
  };

  it('asks again each second until it is interrupted: one object a line with --json', async () => {
    const { code, stdout, stderr, json } = await watch(thrice, { isTTY: true }, ['--json']);
    assert.equal(code, 130, stderr);
    const statuses = json().filter(({ event }) => event === 'status');
    assert.deepEqual(
      statuses.map(({ event, phase }) => [event, phase]),
      Array(3).fill(['status', 'gathering workers']),
    );
    const times = statuses.map(({ runningMs }) => runningMs as number);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.ok(!stdout.includes('\x1b'), 'scripts read it');
  });

  it('draws on a terminal in place, and in a pipe one after the other', async () => {
    const CLEAR = '\x1b[H\x1b[J';
    const drawn = await watch(thrice, { isTTY: true });
    assert.equal(drawn.code, 130, drawn.stderr);
    assert.equal(drawn.stdout.split(CLEAR).length, 4, 'cleared before each');
    for (const screen of drawn.stdout.split(CLEAR).slice(1))
      assert.equal(screen.split('gathering workers').length, 2);
    for (const options of [{}, { isTTY: true, environment: { TERM: 'dumb' } }]) {
      const { code, stdout } = await watch(thrice, options);
      assert.equal(code, 130);
      assert.equal(stdout.split('gathering workers').length, 4);
      assert.ok(!stdout.includes('\x1b'), stdout);
    }
  });

  it('ends with an error that says so when the coordinator is gone', async () => {
    let watching = true;
    const watched = watch((answer) => {
      if (answer === 1) clock.advance(1000);
      else if (answer === 2) {
        stop.abort();
        void job.ran.then(goOn);
      }
    });
    function goOn() {
      if (!watching) return;
      clock.step();
      setImmediate(goOn);
    }
    const { code, stdout, stderr } = await watched;
    watching = false;
    assert.equal(code, 1);
    assert.equal(stdout.split('gathering workers').length, 3);
    assert.match(stderr, /No coordinator answers at tcp:.* see whether the job still runs/s);
  });
});

describe('the text of a status', () => {
  const status: JobStatus = {
    job: 'j1',
    program: 'convnet',
    phase: 'training',
    runningMs: 125_000,
    step: 1204,
    steps: 4690,
    epoch: 3,
    epochs: 10,
    shards: 8,
    storedParameters: 225_034,
    loss: 0.02134,
    metrics: { accuracy: 0.9912 },
    examplesPerSecond: 3412.4,
    startsWith: 2,
    workers: [
      {
        name: 'w0',
        host: 'node-1',
        pid: 11,
        shards: [0, 1, 2, 3],
        examplesPerSecond: 1712,
        heardMs: 96,
      },
      {
        name: 'w1',
        host: 'node-22',
        pid: 4321,
        shards: [4, 6, 7],
        heardMs: 12_000,
        awaited: 'send the gradients of shards 4 of step 1204',
      },
    ],
    servers: [
      {
        address: 'tcp://10.0.0.6:7001',
        role: 'primary',
        firstChunk: 0,
        chunks: 4,
        version: 1204,
        heardMs: 100,
      },
      { address: 'tcp://10.0.0.7:7001', role: 'standby', firstChunk: 0, chunks: 4 },
    ],
    waits: [
      {
        who: 'worker w1',
        what: 'send the gradients',
        sinceMs: 12_000,
        remedy: 'See what it says.',
        deadlineMs: 120_000,
      },
    ],
  };

  it('is a table that stands in its columns', () => {
    assert.equal(
      statusText(status),
      [
        'convnet (job j1): training, step 1,204 of 4,690, epoch 3 of 10, for 2 min 05 s now',
        'loss 0.0213, accuracy 99.12 %, 3,412 examples/s, 225,034 stored parameters, 8 shards',
        '',
        'workers: 2, the job starts with 2',
        '  name  host     pid   shards  examples/s  last heard  is waited for to',
        '  w0    node-1   11    0-3     1,712       0.1 s ago',
        '  w1    node-22  4321  4, 6-7  -           12 s ago    send the gradients of shards 4 of step 1204',
        '',
        'servers',
        '  address              role     chunks  version  last heard  is waited for to',
        '  tcp://10.0.0.6:7001  primary  0-3     1,204    0.1 s ago',
        '  tcp://10.0.0.7:7001  standby  0-3     -        never',
        '',
        'waiting for worker w1 to send the gradients, for 12 s now (the job ends after 2 min 00 s of it)',
        '  See what it says.',
      ].join('\n'),
    );
    const [first] = status.servers;
    const hosted = { ...status, servers: [{ ...first!, hostedBy: 'w0' }, status.servers[1]!] };
    assert.match(
      statusText(hosted),
      /address +process of +role .*\n {2}tcp:\S+ +w0 +primary .*\n {2}tcp:\S+ +- +standby/,
    );
    assert.ok(statusText(status, { colour: true }).startsWith('\x1b[1mconvnet'));
  });
});
