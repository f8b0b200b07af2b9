import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import { encode, type Message, PROTOCOL_VERSION, type Transport } from '@tutti/protocol';
import { createRandom, type Random } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { samplePlan } from '@tutti/testing';
import { createZmqTransport } from '@tutti/transport';
import { createWorker } from '@tutti/worker';
import { overheard } from '../overheard.js';
import { regression } from '../programs/regression.js';

/** Everything that is thrown at the ports follows from it. */
const SEED = 1;
const ROUNDS = 300;
/** What a round may throw at once. */
const MOST_BYTES = 20_000;
const MEMORY_BYTES = 250 << 20;

/** Says some bytes to a port, all at once or in trickles; resolves when they are said, or hung up on. */
async function sayRaw(address: string, chunks: readonly Uint8Array[]): Promise<void> {
  const socket: Socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const chunk of chunks)
    await Promise.race([
      closed,
      new Promise<void>((resolve) => socket.write(chunk, () => resolve())),
    ]);
  socket.destroy();
  await closed;
}

const bytes = (random: Random, most: number) =>
  Uint8Array.from({ length: 1 + random.below(most) }, () => random.below(256));

/** What ZMTP 3 begins with, and a frame that claims a length. */
function zmtp(random: Random): Uint8Array[] {
  const greeting = Buffer.alloc(64);
  greeting[0] = 0xff;
  greeting[9] = 0x7f;
  greeting[10] = 3;
  greeting.write('NULL', 12);
  const ready = Buffer.from('\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER', 'latin1');
  const length = Buffer.alloc(9);
  // More frames, an endless one, a command.
  length[0] = [0, 1, 2, 3, 4, 6, 7][random.below(7)]!;
  length.writeBigUInt64BE(BigInt(random.uint32()) ** BigInt(random.below(3)), 1);
  const flipped = Buffer.concat([greeting, ready, length, bytes(random, 300)]);
  if (random.below(2) === 0) flipped[random.below(flipped.length)] = random.below(256);
  // Byte by byte for a while: a slow trickle.
  const slow = random.below(80);
  return [
    ...[...flipped.subarray(0, slow)].map((byte) => Uint8Array.of(byte)),
    flipped.subarray(slow),
  ];
}

const ODD: readonly unknown[] = [
  0,
  -1,
  1,
  2 ** 31,
  2 ** 53,
  1e308,
  -0.5,
  '',
  'x',
  'job',
  [],
  [[]],
  {},
  null,
  true,
];

/** A copy in which one field, somewhere, is something else. */
function oddly<T>(random: Random, value: T): T {
  const copy = structuredClone(value) as Record<string, unknown>;
  let at = copy;
  for (;;) {
    const keys = Object.keys(at);
    const key = keys[random.below(keys.length)]!;
    const inner = at[key];
    const goOn = typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0;
    if (goOn && random.below(3) > 0) at = inner as Record<string, unknown>;
    else {
      at[key] = ODD[random.below(ODD.length)];
      return copy as T;
    }
  }
}

/** A way on which all that is sent is also written down. */
const recording = (transport: Transport, said: Message[]) =>
  overheard(transport, (_, { message }) => {
    if (said.length < 500 && message.type !== 'join') said.push(message);
  });

const stamp = { protocol: PROTOCOL_VERSION, job: '', session: '' };
/** Without a join: whoever says a whole one is a worker, which only a key keeps out (docs/SECURITY.md). */
const SAMPLES: readonly Message[] = [
  { type: 'open', plan: samplePlan(), firstChunk: 0, chunks: 1, ...stamp },
  { type: 'apply', step: 0, chunk: 0, count: 1, scale: 1, ...stamp },
  { type: 'store', chunk: 0, ...stamp },
  { type: 'restore', chunk: 0, version: 3, ...stamp },
  { type: 'capture', version: 1, slots: true, ...stamp },
  { type: 'contribution', step: 0, lo: 0, hi: 1, chunk: 0, attempt: '', ...stamp },
  { type: 'report', step: 0, shards: [], wireBytes: 1, ...stamp },
  { type: 'pull', version: 1, ...stamp },
  { type: 'inquire', by: 'a stranger', ...stamp },
  { type: 'status', ...stamp },
  { type: 'leave', ...stamp },
  { type: 'replaced', by: 'tcp://a:1', reason: 'because', ...stamp },
  { type: 'finish', ...stamp },
];

describe('whatever is thrown at the ports of a job, from one seed,', () => {
  it('ends nobody, takes no memory, and leaves the digest as it is', async () => {
    const program = regression({ epochs: 3 });
    const expected = await runLocal(program, { workers: 0 }).result;
    const random = createRandom('fuzz', SEED);
    const address = 'tcp://127.0.0.1:0';
    const transport = createZmqTransport();
    const stopping = new AbortController();
    const { signal } = stopping;
    const events: RunEvent[] = [];
    const said: Message[] = [];
    const server = await createServer({ address, transport, signal }).start();
    const coordinator = await createCoordinator({
      address,
      servers: [{ connect: server.addresses[0]!, transport: recording(transport, said) }],
      settings: { workers: 2 },
      transport,
      signal,
      onEvent: (event) => void events.push(event),
    }).start();
    const ports = [coordinator.address, server.addresses[0]!];
    const start = () =>
      createWorker({
        program,
        coordinator: coordinator.address,
        transport: recording(transport, said),
        signal,
      }).start();

    /** Sends through a transport of ours what no role would say; resolves when it has arrived. */
    async function sayOddly(to: string, messages: readonly Message[]) {
      const connection = createZmqTransport({ sharedMemory: false }).connect(to, { message() {} });
      for (const message of messages) {
        const payload = random.below(2) === 0 ? undefined : bytes(random, 8);
        try {
          const envelope = payload === undefined ? { message } : { message, payload };
          encode(envelope);
          connection.send(envelope);
        } catch {
          // The codec would not even send it. Others could: raw frames are thrown above.
        }
      }
      await connection.close(200);
    }

    /** By whoever knows the job, and by whoever does not. */
    function odd(): Message[] {
      const known = said.length > 0 && random.below(2) === 0;
      const some = Array.from({ length: 5 }, () => {
        const from = known ? said : SAMPLES;
        const message = from[random.below(from.length)]!;
        const job = said.at(-1)?.job ?? '';
        // A session is a secret of the one who has it.
        return { ...message, job: random.below(3) === 0 ? message.job : job, session: '' };
      });
      return some.map((message) => (random.below(4) === 0 ? message : oddly(random, message)));
    }

    async function fuzz(rounds: number) {
      for (let round = 0; round < rounds; round++)
        for (const port of ports) {
          const kind = random.below(4);
          if (kind === 0) await sayRaw(port, [bytes(random, MOST_BYTES)]);
          else if (kind === 1) await sayRaw(port, zmtp(random));
          else await sayOddly(port, odd());
        }
    }

    try {
      const before = process.memoryUsage().rss;
      await fuzz(ROUNDS / 3);
      const workers = [start()];
      await fuzz(ROUNDS / 3);
      // The run begins with the second worker, and lasts until it is done.
      workers.push(start());
      await fuzz(ROUNDS / 3);
      const { digest } = await coordinator.result;
      assert.equal(digest, expected.digest);
      await Promise.all(workers.map(({ result }) => result));
      await server.result;
      assert.ok(process.memoryUsage().rss - before < MEMORY_BYTES);
      const warnings = events.filter(({ event }) => event === 'warning');
      assert.ok(warnings.length > 0 && warnings.length < 60, `${warnings.length} warnings`);
    } finally {
      stopping.abort();
      coordinator.result.catch(() => {});
    }
  });
});
