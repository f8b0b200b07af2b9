import assert from 'node:assert/strict';
import { createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import { type Body, type Message, PROTOCOL_VERSION } from '@tutti/protocol';
import { createRandom, createSimulatedClock } from '@tutti/runtime';
import { createServer, type ServerEvent } from '@tutti/server';
import { samplePlan } from '@tutti/testing';
import { createMemoryNetwork } from '@tutti/transport/internal';
import { createWorker } from '@tutti/worker';
import { regression } from '../programs/regression.js';

/** A server, and whoever talks to it. */
async function withServer() {
  const clock = createSimulatedClock();
  const network = createMemoryNetwork({ clock, random: createRandom('second coordinator') });
  const on = (host: string) => ({ transport: network.transport(host), clock });
  const stopping = new AbortController();
  const { signal } = stopping;
  const told: ServerEvent[] = [];
  const server = await createServer({
    address: 'server:1',
    ...on('server'),
    signal,
    onEvent: (event) => void told.push(event),
  }).start();

  /** Moves the clock until something has come about. */
  async function until(done: () => boolean) {
    for (let tick = 0; !done(); tick++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      assert.ok(clock.step() || tick < 10_000, 'the simulation stands still');
    }
  }
  /** All that is under way arrives. */
  async function pass() {
    let over = false;
    clock.after(10, () => {
      over = true;
    });
    await until(() => over);
  }
  function speaker(host: string, session: string) {
    const heard: Message[] = [];
    const connection = network.transport(host).connect('server:1', {
      message: ({ message }) => void heard.push(message),
    });
    return {
      heard,
      say(body: Body, payload?: Uint8Array, job = 'j1') {
        const message = { ...body, protocol: PROTOCOL_VERSION, job, session };
        connection.send(payload === undefined ? { message } : { message, payload });
      },
      close: () => connection.close(0),
    };
  }
  return {
    ...{ clock, network, on, server, told, until, pass, speaker, signal },
    async end() {
      stopping.abort();
      let ended = false;
      void server.stop().then(() => {
        ended = true;
      });
      await until(() => ended);
    },
  };
}

const typesOf = (heard: readonly Message[]) => heard.map(({ type }) => type);
const refusalIn = (heard: readonly Message[]) => {
  const found = heard.find((message) => message.type === 'refused');
  return found?.type === 'refused' ? found.error : undefined;
};

const plan = samplePlan();
const open: Body = { type: 'open', plan, firstChunk: 0, chunks: 1 };
const values = new Uint8Array(Float32Array.of(1, 2).buffer);
const store: Body = { type: 'store', chunk: 0 };
const apply: Body = { type: 'apply', step: 0, chunk: 0, count: 2, scale: 1 };

describe('a server that a living coordinator uses', () => {
  it('is not given to a second one, which fails and names both; the first trains to its digest', async () => {
    const program = regression();
    const expected = await runLocal(program, { workers: 0 }).result;
    const { network, until, on, server, told, signal, end } = await withServer();
    const start = (host: string) =>
      createCoordinator({
        address: `${host}:1`,
        servers: [{ connect: server.addresses[0]! }],
        settings: { workers: 1 },
        ...on(host),
        signal,
      }).start();
    const first = await start('first');
    const workerOf = (address: string, host: string) =>
      createWorker({ program, coordinator: address, ...on(host), signal }).start();
    const lost = workerOf(first.address, 'w0');
    lost.result.catch(() => {});
    let ended: Error | { digest: string } | undefined;
    first.result.then(
      (result) => {
        ended = result;
      },
      (error) => {
        ended = error;
      },
    );
    await until(() => told.some(({ event }) => event === 'opened'));
    // So that the first is still there when the second has waited long enough.
    network.crash('w0');
    const second = await start('second');
    let refused: Error | undefined;
    second.result.catch((error) => {
      refused = error;
    });
    await until(() => refused !== undefined);
    const worker = workerOf(first.address, 'w1');
    await until(() => ended !== undefined);
    assert.ok(ended !== undefined && 'digest' in ended, String(ended));
    assert.equal(ended.digest, expected.digest);
    const reason = refused!.message;
    assert.match(reason, /coordinator at first:1 .*which is there.*coordinator at second:1/);
    const warned = told.flatMap((event) => (event.event === 'refused' ? event.reason : []));
    assert.match(warned.join(), /coordinator at first:1 .*coordinator at second:1/);
    await worker.result;
    await end();
  });

  it('takes no sums, values or orders but from that one, and does not end for another', async () => {
    const { pass, speaker, server, end } = await withServer();
    const [coordinator, other] = [speaker('a', 'sa'), speaker('b', 'sb')];
    coordinator.say(open);
    await pass();
    coordinator.say(store, values);
    await pass();
    for (const [body, payload] of [
      [apply, values],
      [store, values],
      [{ type: 'restore', chunk: 0, version: 7 }, values],
      [{ type: 'capture', version: 0, slots: false }],
      [{ ...open, reset: true }],
    ] as const) {
      other.say(body, payload);
      await pass();
      assert.equal(other.heard.length, 1, body.type);
      assert.match(refusalIn(other.heard.splice(0))!.message, /only .* may send it|which is there/);
    }
    other.say({ type: 'finish' });
    coordinator.say({ type: 'pull', version: 0 });
    coordinator.say(apply, values);
    await pass();
    assert.deepEqual(typesOf(coordinator.heard), ['opened', 'stored', 'weights', 'applied']);
    assert.ok(server.addresses.length > 0);
    await end();
  });

  it('goes over to one that asks while the first is missed', async () => {
    const { pass, speaker, end } = await withServer();
    const [first, second] = [speaker('a', 'sa'), speaker('b', 'sb')];
    first.say(open);
    await pass();
    second.say({ type: 'inquire', by: 'the coordinator again' }, undefined, 'j2');
    await pass();
    assert.deepEqual(second.heard, []);
    void first.close();
    await pass();
    assert.deepEqual(typesOf(second.heard), ['holding']);
    second.say(open);
    await pass();
    assert.deepEqual(typesOf(second.heard), ['holding', 'opened']);
    await end();
  });

  it('stays with the first where that is back on another connection before the old one is missed', async () => {
    const { pass, speaker, end } = await withServer();
    const [first, second] = [speaker('a', 'sa'), speaker('b', 'sb')];
    first.say(open);
    await pass();
    second.say({ type: 'inquire', by: 'another coordinator' }, undefined, 'j2');
    const back = speaker('a', 'sa');
    back.say({ type: 'inquire', by: 'the coordinator again' });
    await pass();
    void first.close();
    await pass();
    back.say(open);
    await pass();
    assert.deepEqual(typesOf(back.heard), ['holding', 'opened']);
    assert.deepEqual(second.heard, []);
    await end();
  });
});

describe('a server', () => {
  for (const [what, body] of [
    ['more chunks than the plan has', { ...open, chunks: 2 ** 40 }],
    [
      'more than any server holds',
      {
        ...open,
        chunks: 1e8,
        plan: { ...plan, parameters: [{ name: 'w', shape: [1e8] }], chunkFloats: 1 },
      },
    ],
    ['a plan without parameters', { ...open, plan: { ...plan, parameters: [] } }],
    ['a chunk that is not in the plan', { ...open, firstChunk: 5 }],
  ] as const)
    it(`refuses to open ${what}, at no cost, and is there for the next who asks`, async () => {
      const { pass, speaker, end } = await withServer();
      const [stranger, coordinator] = [speaker('a', 'sa'), speaker('b', 'sb')];
      const before = process.memoryUsage().rss;
      stranger.say(body);
      await pass();
      assert.notEqual(refusalIn(stranger.heard)?.code, undefined);
      assert.ok(process.memoryUsage().rss - before < 100 << 20);
      coordinator.say({ type: 'inquire' }, undefined, 'j2');
      await pass();
      coordinator.say(open, undefined, 'j2');
      await pass();
      assert.deepEqual(typesOf(coordinator.heard), ['holding', 'opened']);
      await end();
    });

  it('does not say that a sum was applied to a chunk that has no values', async () => {
    const { pass, speaker, end } = await withServer();
    const coordinator = speaker('a', 'sa');
    coordinator.say(open);
    coordinator.say(apply, values);
    await pass();
    assert.deepEqual(typesOf(coordinator.heard), ['opened']);
    await end();
  });
});
