import { createServer } from '@tutti/server';
import { childMain } from './child-main.js';

export interface ServerArgument {
  readonly address: string;
}

await childMain<ServerArgument>(async ({ address }, signal, tell) => {
  const server = await createServer({ address, signal }).start();
  tell({ type: 'listening', addresses: server.addresses });
  await server.result;
});
