import { connect as connectSocket, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { TuttiError } from '@tutti/runtime';
import { faultOfAddress, hostAndPort, tcpAddress } from './address.js';
import { faultOfName, type Resolve } from './resolve.js';
import type { NotifiedRouter } from './zmq-sockets.js';

/**
 * Where to bind for an address, the best first. libzmq binds to interfaces and numeric addresses only,
 * and takes `*` for any free port.
 * @throws TuttiError ADDRESS_UNAVAILABLE
 */
export async function endpointsOf(wanted: string, resolve: Resolve): Promise<readonly string[]> {
  const fault = faultOfAddress(wanted);
  if (fault !== undefined) throw unusable(wanted, fault);
  const place = hostAndPort(wanted);
  if (place === undefined) {
    if (await isAnswering(wanted.slice('ipc://'.length))) throw inUse(wanted);
    return [wanted];
  }
  const { host } = place;
  const port = place.port === '0' ? '*' : place.port;
  // `*` is IPv4 and IPv6 in one, which a machine without IPv6 does not have.
  if (host === '*') return [`tcp://*:${port}`, `tcp://0.0.0.0:${port}`];
  // The same address that whoever connects to localhost tries first.
  if (host === 'localhost') return [`tcp://127.0.0.1:${port}`, `tcp://[::1]:${port}`];
  const interfaces = networkInterfaces();
  if (isIP(host) !== 0 || host in interfaces) return [tcpAddress(host, port)];
  const hosts = await resolve(host).catch((error) => {
    throw unusable(wanted, faultOfName(host, error), error);
  });
  const own = new Set(Object.values(interfaces).flatMap((all) => all!.map((one) => one.address)));
  const here = hosts.filter((each) => own.has(each));
  return (here.length > 0 ? here : hosts).map((each) => tcpAddress(each, port));
}

/**
 * Binds at the first endpoint where that is possible.
 * @param create makes the socket for an endpoint; `ended` resolves when it has let go
 * @throws TuttiError ADDRESS_UNAVAILABLE
 */
export async function bindFirst<
  Socket extends { readonly router: NotifiedRouter; readonly ended: Promise<void> },
>(
  wanted: string,
  endpoints: readonly string[],
  create: (endpoint: string) => Socket,
): Promise<Socket> {
  let failure: unknown;
  for (const endpoint of endpoints) {
    const socket = create(endpoint);
    try {
      await socket.router.bind(endpoint);
      return socket;
    } catch (error) {
      failure ??= error;
      socket.router.close();
      await socket.ended;
      // Whoever connects would reach the other process.
      if (isInUse(error)) throw inUse(wanted, error);
    }
  }
  throw unusable(wanted, (failure as Error).message, failure);
}

const isInUse = (error: unknown) => (error as NodeJS.ErrnoException).code === 'EADDRINUSE';

/** libzmq takes over the path of an ipc socket that is in use, without an error. */
function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connectSocket(path);
    client.on('connect', () => {
      client.destroy();
      resolve(true);
    });
    client.on('error', () => resolve(false));
  });
}

function inUse(address: string, cause?: unknown): TuttiError {
  return new TuttiError(
    'ADDRESS_UNAVAILABLE',
    `Cannot listen at ${address}: another process is using it.`,
    {
      remedy: 'Choose another port (0 picks a free one), or stop the process that listens there.',
      details: { address },
      cause,
    },
  );
}

function unusable(address: string, fault: string, cause?: unknown): TuttiError {
  return new TuttiError('ADDRESS_UNAVAILABLE', `Cannot listen at ${address}: ${fault}.`, {
    remedy:
      'Give an address of this machine, such as tcp://127.0.0.1:0 (0 picks a free port), tcp://*:5600 or ipc:///tmp/tutti.sock.',
    details: { address },
    cause,
  });
}
