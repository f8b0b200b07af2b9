import assert from 'node:assert/strict';
import type { ConnectFault, ConnectionHandlers, Transport } from '@tutti/protocol';
import { PROTOCOL_VERSION } from '@tutti/protocol';
import { createMonitor, createSimulatedClock } from '@tutti/runtime';
import { createWeightPuller } from './weight-puller.js';
import type { WeightBuffer } from './weights.js';

const NAME: ConnectFault = {
  kind: 'name',
  reason: 'the name node7 is not known on this machine (ENOTFOUND)',
  remedy: 'Correct the name.',
};
const REFUSED: ConnectFault = { kind: 'refused', reason: 'nobody listens there', remedy: 'Wait.' };

/** A worker that is told of one server, and how its attempts to connect fare. */
function connecting() {
  let handlers: ConnectionHandlers | undefined;
  const transport: Transport = {
    listen: () => Promise.reject(new Error('A worker does not listen')),
    connect(address, given) {
      handlers = given;
      const traffic = { sentBytes: 0, receivedBytes: 0 };
      return { address, send() {}, close: async () => {}, traffic };
    },
  };
  const clock = createSimulatedClock();
  const monitor = createMonitor({ clock });
  const puller = createWeightPuller({
    transport,
    clock,
    monitor,
    weights: { expect() {} } as unknown as WeightBuffer,
    stamp: (body) => ({ ...body, protocol: PROTOCOL_VERSION, job: 'j', session: 's' }),
  });
  puller.relocate([{ address: 'tcp://node7:1', firstChunk: 0, chunks: 1 }]);
  const ended = monitor.until(() => false, { who: 'a', what: 'b', remedy: 'c' });
  ended.catch(() => {});
  return { puller, clock, ended, handlers: handlers! };
}

describe('a server that a worker does not reach', () => {
  it('because nobody knows its name ends the worker, with the name and what to give instead', async () => {
    const { puller, clock, ended, handlers } = connecting();
    handlers.unreached!(NAME);
    assert.equal(puller.faultOf([0]), NAME);
    clock.advance(9999);
    handlers.unreached!(NAME);
    clock.advance(1);
    handlers.unreached!(NAME);
    await assert.rejects(ended, {
      code: 'PEER_LOST',
      message: /server at tcp:\/\/node7:1 cannot be reached.*the name node7 is not known/,
      remedy: /--advertise/,
    });
  });

  it('is waited for where it may come back', async () => {
    for (const [reached, fault] of [
      [false, REFUSED],
      [true, NAME],
    ] as const) {
      const { puller, clock, ended, handlers } = connecting();
      if (reached) {
        handlers.opened!();
        handlers.closed!('the connection was lost');
      }
      handlers.unreached!(fault);
      clock.advance(60_000);
      handlers.unreached!(fault);
      const still = new Promise((resolve) => setImmediate(resolve, 'waiting'));
      assert.equal(await Promise.race([ended, still]), 'waiting');
      assert.equal(puller.faultOf([0]), fault);
      handlers.opened!();
      assert.equal(puller.faultOf([0]), undefined);
    }
  });
});
