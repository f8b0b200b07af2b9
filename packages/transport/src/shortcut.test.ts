import assert from 'node:assert/strict';
import type { Envelope } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { createMemoryNetwork } from './memory/memory-network.js';
import { withShortcut } from './shortcut.js';

describe('a transport with a shortcut', () => {
  it('reaches one address another way, and all others as before', async () => {
    const clock = createSimulatedClock();
    const [open, inside] = [1, 2].map(() => createMemoryNetwork({ clock }).transport('host'));
    const heard: string[] = [];
    const listen = (transport: typeof open, address: string, name: string) =>
      transport!.listen(address, {
        message: (_, { message }: Envelope) => void heard.push(`${name}: ${message.job}`),
      });
    await listen(open, 'tcp://here:1', 'by the network');
    await listen(open, 'tcp://there:1', 'by the network');
    await listen(inside, 'local://server', 'inside');
    const transport = withShortcut(open!, 'tcp://here:1', {
      transport: inside!,
      address: 'local://server',
    });
    for (const address of ['tcp://here:1', 'tcp://there:1']) {
      const connection = transport.connect(address, { message() {}, closed() {} });
      const message = { protocol: 1, job: address, session: '', type: 'leave' } as const;
      connection.send({ message });
    }
    while (clock.step());
    assert.deepEqual(heard, ['inside: tcp://here:1', 'by the network: tcp://there:1']);
  });
});
