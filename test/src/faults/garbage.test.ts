import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import { createServer, type ServerEvent } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createZmqTransport } from '@tutti/transport';
import { createWorker } from '@tutti/worker';
import { regression } from '../programs/regression.js';

/** Says something that is no ZeroMQ to a real port; resolves when it was hung up on. */
async function sayNonsense(address: string, nonsense: string | Buffer) {
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  // It may be hung up on in the middle of it: that is as good.
  socket.on('error', () => {});
  socket.resume();
  socket.end(nonsense);
  await new Promise((resolve) => socket.once('close', resolve));
}

describe('garbage bytes on the ports of a running job', () => {
  it('are a warning that names the port, and the run goes on to the same digest', async () => {
    const program = regression();
    const expected = await runLocal(program, { workers: 0 }).result;
    const events: RunEvent[] = [];
    const heard: ServerEvent[] = [];
    const address = 'tcp://127.0.0.1:0';
    const transport = createZmqTransport();
    // Whatever fails: nothing is left open.
    const stopping = new AbortController();
    const { signal } = stopping;
    const onEvent = (event: ServerEvent) => void heard.push(event);
    const server = await createServer({ address, transport, onEvent, signal }).start();
    const [serverAddress] = server.addresses as [string];
    const coordinator = await createCoordinator({
      address,
      servers: [{ connect: serverAddress }],
      settings: { workers: 2 },
      transport,
      signal,
      onEvent: (event) => void events.push(event),
    }).start();
    const start = () =>
      createWorker({ program, coordinator: coordinator.address, transport, signal }).start();
    try {
      const first = start();
      // The run begins with the second worker: until then there is time for nonsense.
      for (const nonsense of [Buffer.alloc(300, 0xff), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'])
        for (const at of [coordinator.address, serverAddress]) await sayNonsense(at, nonsense);
      const second = start();
      const { digest } = await coordinator.result;
      await Promise.all([first.result, second.result, server.result]);
      assert.equal(digest, expected.digest);
    } finally {
      stopping.abort();
    }
    const warnings = events.filter((event) => event.event === 'warning');
    const told = warnings.find(({ message }) => message.includes(coordinator.address));
    assert.match(told?.message ?? '', /does not speak the protocol of ZeroMQ.* The run goes on$/);
    const refused = heard.filter((event) => event.event === 'refused');
    assert.ok(refused.some(({ reason }) => reason.includes(serverAddress)));
  });
});
