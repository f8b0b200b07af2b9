import { createServer } from '@tutti/server';
import { createZmqTransport, type Heartbeat } from '@tutti/transport';
import { childMain } from './child-main.js';

export interface ServerArgument {
  readonly address: string;
  readonly heartbeat: Heartbeat;
}

await childMain<ServerArgument>(async ({ address, heartbeat }, signal, tell) => {
  const transport = createZmqTransport(heartbeat);
  const server = await createServer({ address, transport, signal }).start();
  tell({ type: 'listening', addresses: server.addresses });
  await server.result;
});
