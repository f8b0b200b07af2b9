import { createServer } from '@tutti/server';
import { createZmqTransport, type Heartbeat } from '@tutti/transport';
import { childMain } from './child-main.js';
import { tellOfServer } from './tell-of-server.js';

export interface ServerArgument {
  readonly address: string;
  /** How this process is called in what it tells. */
  readonly name: string;
  readonly heartbeat: Heartbeat;
}

await childMain<ServerArgument>(async (argument, signal, tell, onTerminate) => {
  const { address, name, heartbeat } = argument;
  // Whoever ends all processes at once wants what is here to be saved first; the parent ends it then.
  onTerminate(() => {});
  const transport = createZmqTransport(heartbeat);
  const onEvent = tellOfServer(name, (event) => tell({ type: 'event', event }));
  // Unnamed wait: it opens a port of this machine.
  const server = await createServer({ address, transport, signal, onEvent }).start();
  tell({ type: 'listening', addresses: server.addresses });
  // Unnamed wait: what it awaits names its own waits.
  await server.result;
});
