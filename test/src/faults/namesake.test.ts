import assert from 'node:assert/strict';
import { createCoordinator } from '@tutti/coordinator';
import { type Message, PROTOCOL_VERSION } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createLocalTransport } from '@tutti/transport';
import { sampleJoin } from './sample-join.js';

const join = sampleJoin('anna');

/** Longer than it takes to notice that a machine is gone. */
const LONG_MS = 60_000;

describe('a worker that comes with the name of one who is there', () => {
  const stop = new AbortController();
  const clock = createSimulatedClock();
  const transport = createLocalTransport({ clock });
  const events: RunEvent[] = [];
  let address: string;
  let ended: Promise<unknown>[];

  before(async () => {
    const { signal } = stop;
    const server = await createServer({ address: 'server', transport, signal }).start();
    const coordinator = await createCoordinator({
      address: 'coordinator',
      servers: [{ connect: server.addresses[0]! }],
      settings: { workers: 3, shards: 3, deadlines: { joinMs: Number.MAX_SAFE_INTEGER } },
      transport,
      clock,
      signal,
      onEvent: (event) => events.push(event),
    }).start();
    ({ address } = coordinator);
    ended = [server.result, coordinator.result];
  });
  after(async () => {
    stop.abort();
    await Promise.allSettled(ended);
  });

  /** Asks to join, as a process of its own. */
  function come() {
    const heard: Message[] = [];
    const connection = transport.connect(address, {
      message: ({ message }) => heard.push(message),
    });
    connection.send({ message: { ...join, protocol: PROTOCOL_VERSION, job: '', session: '' } });
    return { heard, leave: () => connection.close() };
  }

  /** Until everybody has heard what was on its way. */
  async function turns(holds: () => boolean) {
    while (!holds()) await new Promise(setImmediate);
  }
  const settled = () => {
    let left = 20;
    return turns(() => left-- === 0);
  };

  it('is welcome when that one turns out to be gone, and refused if it stays', async () => {
    const first = come();
    await turns(() => first.heard.length > 0);
    assert.equal(first.heard[0]!.type, 'welcome');
    // The first died, but what it sent before is still unread, and so the coordinator does not know.
    const second = come();
    await settled();
    assert.equal(second.heard.length, 0);
    await first.leave();
    await turns(() => second.heard.length > 0);
    assert.equal(second.heard[0]!.type, 'welcome');

    const third = come();
    await settled();
    assert.equal(third.heard.length, 0);
    clock.advance(LONG_MS);
    await turns(() => third.heard.length > 0);
    const [answer] = third.heard;
    assert.ok(answer?.type === 'refused');
    assert.match(answer.error.message, /^A worker called anna is already here/);
    assert.equal(events.filter(({ event }) => event === 'warning').length, 1);

    // One that has gone itself is not waited for.
    const fourth = come();
    await settled();
    await fourth.leave();
    await second.leave();
    const fifth = come();
    await turns(() => fifth.heard.length > 0);
    assert.equal(fifth.heard[0]!.type, 'welcome');
    assert.equal(fourth.heard.length, 0);
  });

  it('is told so when the job ends', async () => {
    const waiting = come();
    await settled();
    stop.abort();
    await turns(() => waiting.heard.length > 0);
    assert.equal(waiting.heard[0]!.type, 'refused');
  });
});
