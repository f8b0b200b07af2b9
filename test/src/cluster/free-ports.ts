import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below those that systems give to whoever asks for none: what is free here stays so. */
const [FIRST, PAIRS] = [20_000, 6000];

/** A port of this machine that is free, and so is the next one, which the server has. */
export async function freePorts(): Promise<number> {
  for (;;) {
    const port = FIRST + 2 * randomInt(PAIRS);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
