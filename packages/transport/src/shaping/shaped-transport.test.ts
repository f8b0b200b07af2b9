import assert from 'node:assert/strict';
import type { Connection, Listener, Transport } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { complianceCases, pull, versionOf, weights, whileTimePasses } from '../compliance.js';
import { createMemoryNetwork } from '../memory/memory-network.js';
import { MESSAGE_BYTES } from '../tunables.js';
import type { NetworkLimits } from './network-limits.js';
import { createShapedTransport } from './shaped-transport.js';

/** Hosts of which each has a card of its own, on a network that itself takes no time. */
function cluster(limits: NetworkLimits) {
  const clock = createSimulatedClock();
  const network = createMemoryNetwork({ clock });
  const host = (name: string) => createShapedTransport(network.transport(name), limits, clock);
  return { clock, host };
}

describe('a shaped transport', () => {
  for (const { name, run } of complianceCases) {
    it(name, () => {
      const { clock, host } = cluster({ bitsPerSecond: 1e9, delayMs: 2 });
      const setup = {
        listening: host('a'),
        connecting: host('b'),
        freshAddress: () => 'memory://a:0',
      };
      return whileTimePasses(clock, run(setup));
    });
  }

  // Each message has 1,000 bytes with what is around it, and takes a millisecond.
  const FLOATS = (1000 - MESSAGE_BYTES) / 4;
  const SLOW = { bitsPerSecond: 8e6, delayMs: 30 };

  /** When what `senders` send at 1,000 ms arrives at one listener. */
  async function arrivals(senders: number, each: number) {
    const { clock, host } = cluster(SLOW);
    const times: [version: number, ms: number][] = [];
    const listener = await host('a').listen('memory://a:1', {
      message: (_, { message }) => times.push([versionOf(message), Math.round(clock.now())]),
    });
    const connections = Array.from({ length: senders }, (_, at) =>
      host(`b${at}`).connect(listener.address, { message: () => {} }),
    );
    clock.advance(1000);
    for (let i = 0; i < each; i++)
      for (const connection of connections) connection.send(weights(i, 0, FLOATS));
    clock.advance(1000);
    return times;
  }

  it('sends at its rate, and delays each message once', async () => {
    assert.deepEqual(await arrivals(1, 4), [
      [0, 1031],
      [1, 1032],
      [2, 1033],
      [3, 1034],
    ]);
  });

  it('has several senders share the way in, and one message of each comes after the other', async () => {
    const times = await arrivals(3, 4);
    assert.deepEqual(
      times.map(([version]) => version),
      [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3],
    );
    // The first is through after its own millisecond; twelve take twelve.
    assert.deepEqual([times[0]?.[1], times.at(-1)?.[1]], [1031, 1042]);
  });

  it('has several receivers share the way out', async () => {
    const { clock, host } = cluster(SLOW);
    const peers: string[] = [];
    const listener = await host('a').listen('memory://a:1', {
      message: (peer) => void peers.push(peer),
    });
    const times: number[] = [];
    for (const name of ['b', 'c', 'd'])
      host(name)
        .connect(listener.address, { message: () => times.push(Math.round(clock.now())) })
        .send(pull(0));
    clock.advance(1000);
    listener.broadcast(peers, weights(0, 0, FLOATS));
    clock.advance(1000);
    assert.deepEqual(times, [1031, 1032, 1033]);
  });

  it('tells all else that the transport underneath does', async () => {
    const told: string[] = [];
    const tell = (what: string) => () => void told.push(what);
    const inner: Transport = {
      async listen(address, handlers) {
        handlers.badFrame?.('peer', 'none');
        handlers.stranger?.('nobody');
        handlers.full?.(new Error('no files'));
        return { address } as Listener;
      },
      connect(address, handlers) {
        handlers.unreached?.({ kind: 'refused', reason: 'nobody', remedy: 'wait' });
        return { address } as Connection;
      },
    };
    const transport = createShapedTransport(inner, SLOW, createSimulatedClock());
    await transport.listen('memory://a:1', {
      message() {},
      badFrame: tell('badFrame'),
      stranger: tell('stranger'),
      full: tell('full'),
    });
    transport.connect('memory://a:1', { message() {}, unreached: tell('unreached') });
    assert.deepEqual(told, ['badFrame', 'stranger', 'full', 'unreached']);
  });

  it('takes messages in both directions at once', async () => {
    const { clock, host } = cluster(SLOW);
    const times: string[] = [];
    const tell = (who: string) => times.push(`${who} ${Math.round(clock.now())}`);
    let peer = '';
    const listener = await host('a').listen('memory://a:1', {
      message(from, { payload }) {
        peer = from;
        if (payload !== undefined) tell('up');
      },
    });
    const connection = host('b').connect(listener.address, { message: () => tell('down') });
    connection.send(pull(0));
    clock.advance(1000);
    connection.send(weights(0, 0, FLOATS));
    listener.send(peer, weights(0, 0, FLOATS));
    clock.advance(1000);
    assert.deepEqual(times.sort(), ['down 1031', 'up 1031']);
  });
});
