import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { LocalOptions } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import { eachTest } from './each-test.js';
import { gatedRegression, HELD_DEADLINES } from './gated-program.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

const LONG = '{ epochs: 1_000_000 }';

const each = eachTest(import.meta.url);

/** A run whose events are kept, and which `atStep` may disturb once, when that many are done. */
function run(path: string, options: LocalOptions, atStep?: [number, () => unknown]) {
  const events: RunEvent[] = [];
  const telling = new EventEmitter();
  const { result } = runLocal(path, {
    ...options,
    onEvent(event) {
      events.push(event);
      telling.emit('event');
      if (atStep !== undefined && event.event === 'step' && event.step === atStep[0]) atStep[1]();
    },
  });
  async function until(holds: () => boolean) {
    while (!holds()) await once(telling, 'event');
  }
  return { result, events, until };
}

const kill = async (name: string) => process.kill((await each.roll.worker(name)).pid, 'SIGKILL');

describe('a worker process that is killed', () => {
  it('ends the run with an error that names it and shows its last lines', async () => {
    const path = await each.folder.program(regressionWith('', LONG));
    const { result } = run(path, { workers: 3 }, [3, () => kill('w1')]);
    const { pid } = await each.roll.worker('w1');
    await assert.rejects(result, {
      code: 'CHILD_DIED',
      message: `w1 (pid ${pid}) was killed by SIGKILL; its last lines were:\n  w1 is here`,
    });
    await each.roll.assertAllGone(3);
  });

  it('changes nothing in the digest if enough are left', async () => {
    const path = await each.folder.program(regressionWith('', '{ epochs: 40 }'));
    const expected = await run(path, { workers: 0 }).result;
    const { result, events } = run(path, { workers: 3, minWorkers: 1 }, [
      3,
      () => Promise.all([kill('w0'), kill('w2')]),
    ]);
    assert.equal((await result).digest, expected.digest);
    const left = events.flatMap((event) => (event.event === 'worker-left' ? event.worker : []));
    assert.deepEqual(left.sort(), ['w0', 'w2']);
    const warnings = events.flatMap((event) => (event.event === 'warning' ? event.message : []));
    assert.equal(warnings.filter((line) => /^w\d .* killed by SIGKILL/.test(line)).length, 2);
    await each.roll.assertAllGone(4);
  });

  it('before it has joined ends the run, however few would do', async () => {
    const path = await each.folder.program(
      `${regressionWith('')}\nif (name === 'w1') { await known; process.kill(process.pid, 'SIGKILL'); }`,
    );
    const { result } = run(path, { workers: 2, minWorkers: 1 });
    await assert.rejects(result, { code: 'CHILD_DIED', message: /^w1 .* killed by SIGKILL/ });
    await each.roll.assertAllGone(1);
  });
});

describe('a worker process that hangs', () => {
  // Not in one step only: of that, on a busy machine, the other may have done what it owes.
  const HANGS = regressionWith(
    `if (name === 'w1' && step >= 3) for (;;);
    await new Promise((resolve) => setTimeout(resolve, 50));`,
    LONG,
  );

  it('ends the run at the deadline, named, and is gone', async () => {
    const path = await each.folder.program(HANGS);
    // The other does what it owes, until the run is seen to be one worker short for good.
    const { result } = run(path, { workers: 2, deadlines: { progressMs: 3000 } });
    await assert.rejects(result, {
      code: 'DEADLINE',
      message:
        /^w1 \(pid \d+\) was lost and ended: it owes (gradients|an evaluation) .* was not heard for ([3-9]|\d\d)\.\d s/,
    });
    await each.roll.assertAllGone(2);
  });

  it('does not keep a run from being stopped', async () => {
    const path = await each.folder.program(HANGS);
    const stopping = new AbortController();
    const { result } = run(path, { workers: 2, signal: stopping.signal }, [
      3,
      () => stopping.abort(),
    ]);
    await assert.rejects(result, { code: 'ABORTED' });
    await each.roll.assertAllGone(2);
  });
});

describe('a run that is stopped', () => {
  for (const [servers, workers] of [
    [1, 2],
    [2, 2],
    [1, 0],
  ] as const)
    it(`ends its processes: ${workers} workers, ${servers} servers`, async () => {
      const path = await each.folder.program(regressionWith('', LONG));
      const stopping = new AbortController();
      const options = { workers, servers, signal: stopping.signal };
      const { result, events } = run(path, options, [3, () => stopping.abort()]);
      await assert.rejects(result, { code: 'ABORTED' });
      await each.roll.assertAllGone(Math.max(1, workers));
      // Nobody takes for lost what was to end.
      assert.deepEqual(
        events.filter(({ event }) => event === 'warning'),
        [],
      );
    });
});

const NOISES = [
  'somebody who does not speak the protocol',
  'somebody who has not shown that it speaks the protocol',
  'who has a key where this job has none',
  'was cut off',
] as const;

describe('bytes that are no message', () => {
  it('give a warning, and the run goes on to the same digest', async () => {
    // It is still under way when the last byte has come.
    const { program, gate } = await gatedRegression(each.folder, 'step === 7');
    const { result, events, until } = run(program, { workers: 2, deadlines: HELD_DEADLINES });
    const warnings = () => events.filter((event) => event.event === 'warning');
    try {
      await until(() => events.some(({ event }) => event === 'step'));
      const [coordinator] = events.flatMap((event) =>
        event.event === 'listening' ? [event.address] : [],
      );
      await makeNoise(coordinator!);
      await talkNonsense(coordinator!);
      await until(() => warnings().length >= 3);
      gate.open(7);
      assert.equal((await result).digest, (await run(program, { workers: 0 }).result).digest);
    } finally {
      await gate.close();
    }
    assert.ok(warnings().every(({ code }) => code === 'BAD_FRAME'));
    const told = warnings().map(({ message }) => message);
    const kinds = told.map((message) => NOISES.find((kind) => message.includes(kind)) ?? message);
    // All the noise of a kind in a minute is one warning. What hangs up at once may show nothing.
    assert.deepEqual(kinds.toSorted(), [...new Set(kinds)].sort(), told.join('\n'));
    assert.ok(kinds.includes(NOISES[0]) || kinds.includes(NOISES[1]), told.join('\n'));
    for (const kind of NOISES.slice(2)) assert.ok(kinds.includes(kind), told.join('\n'));
    assert.ok(!told.some((message) => /\.\./.test(message)), told.join('\n'));
  });

  async function open(address: string) {
    const { hostname, port } = new URL(address);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  async function makeNoise(address: string) {
    for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(5000, 0xff)]) {
      const socket = await open(address);
      socket.end(bytes);
      socket.resume();
      // Not events.once: that the other side resets the connection is fine.
      await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    }
  }

  /** Speaks ZMTP 3.1 (https://rfc.zeromq.org/spec/37), but not Tutti; resolves when it is told so. */
  async function talkNonsense(address: string) {
    const greeting = Buffer.alloc(64);
    greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]);
    greeting.write('NULL', 12);
    const ready = '\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER';
    const frame = '\x00\x05\xdc\xff\xff\xff\xff';
    const socket = await open(address);
    socket.write(greeting);
    let heard = '';
    let greeted = false;
    for await (const bytes of socket.setEncoding('latin1')) {
      heard += bytes;
      if (heard.includes('cut it off')) break;
      if (greeted || heard.length < greeting.length) continue;
      // libzmq hangs up on those who do not wait for all of its own greeting.
      greeted = true;
      socket.write(Buffer.from(ready + frame, 'latin1'));
    }
    assert.match(heard, /cut it off: Received no msgpack message/);
    socket.destroy();
  }
});

describe('this machine', () => {
  it('has no such port free: the run ends and names it', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    try {
      const path = await each.folder.program(regressionWith(''));
      const { result } = run(path, { workers: 1, address: `tcp://127.0.0.1:${port}` });
      await assert.rejects(result, {
        code: 'ADDRESS_UNAVAILABLE',
        message: new RegExp(`127\\.0\\.0\\.1:${port}\\b`),
      });
    } finally {
      taken.close();
    }
  });

  it('cannot write the model where it should: it is kept elsewhere, with a warning', async () => {
    const path = await each.folder.program(regressionWith(''));
    const file = join(each.folder.path, 'a-file');
    await writeFile(file, '');
    const { result, events } = run(path, { workers: 1, checkpointDir: join(file, 'below') });
    const { modelPath, steps } = await result;
    try {
      assert.ok((await stat(modelPath!)).isDirectory());
      const warning = events.find((event) => event.event === 'warning');
      assert.equal(warning?.code, 'STORAGE');
      assert.match(warning?.message ?? '', /a-file.below.* It was saved in .* instead/);
      assert.deepEqual(
        events.flatMap((event) => (event.event === 'checkpoint' ? [[event.step, event.path]] : [])),
        [[steps, modelPath]],
      );
    } finally {
      await rm(dirname(modelPath!), { recursive: true });
    }
  });
});
