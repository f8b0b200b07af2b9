import assert from 'node:assert/strict';
import { type Message, PROTOCOL_VERSION, type Transport } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { createCoordinator } from './coordinator.js';

describe('a coordinator', () => {
  it('hears who is there as soon as its port is open', async () => {
    const said: [peer: string, type: Message['type']][] = [];
    const traffic = { sentBytes: 0, receivedBytes: 0 };
    const transport: Transport = {
      async listen(address, handlers) {
        const message = {
          type: 'status',
          protocol: PROTOCOL_VERSION,
          job: '',
          session: '',
        } as const;
        handlers.message('peer-1', { message });
        const send = (peer: string, { message: { type } }: { readonly message: Message }) =>
          void said.push([peer, type]);
        const rest = { broadcast() {}, disconnect() {}, close: async () => {} };
        return { address, traffic, send, ...rest };
      },
      connect: (address) => ({ address, traffic, send() {}, close: async () => {} }),
    };
    const running = await createCoordinator({
      ...{ address: 'here', servers: [{ connect: 'there' }], settings: { workers: 1 } },
      ...{ transport, clock: createSimulatedClock() },
    }).start();
    running.result.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(said, [['peer-1', 'status-report']]);
    await running.stop();
  });
});
