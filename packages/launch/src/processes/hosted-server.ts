import type { Transport } from '@tutti/protocol';
import type { Timeline } from '@tutti/runtime';
import { createServer, type RunningServer, type ServerEvent, type ServerInit } from '@tutti/server';
import { createLocalTransport, withShortcut } from '@tutti/transport';

/** A server in the process of a worker. */
export interface HostedServer {
  readonly running: RunningServer;
  /** Where others reach it. */
  readonly address: string;
  /** How the worker reaches the others, and this one without a socket. */
  readonly transport: Transport;
  /** Whether it holds a part of the weights of a job, which others need when its worker leaves. */
  holding(): boolean;
  /** The worker has ended: so does the server, unless the worker left a job that goes on. */
  end(left: boolean): Promise<void>;
}

/**
 * Starts a server in the thread of a worker: each is idle while the other has something to do, since a
 * step is computed, and then exchanged.
 * @param init.onEvent is not told what it waits for: its worker waits for the same
 * @param init.advertised where others reach what listens at an address
 * @throws TuttiError ADDRESS_UNAVAILABLE
 */
export async function hostServer(
  init: Pick<ServerInit, 'address' | 'settings'> & {
    readonly transport: Transport;
    readonly timeline: Timeline | undefined;
    readonly onEvent: (event: ServerEvent) => void;
    readonly advertised?: (address: string) => Promise<string>;
  },
): Promise<HostedServer> {
  const { transport, onEvent, advertised, ...rest } = init;
  const local = createLocalTransport({ delivery: 'now' });
  let holding = false;
  // With memory for sums of its own: where that grows, views of what the worker lends would be gone.
  // Unnamed wait: it opens a port of this machine.
  const running = await createServer({
    ...rest,
    transport,
    alsoListen: [{ transport: local, address: 'local://server' }],
    onEvent(event) {
      if (event.event === 'opened') holding = true;
      if (event.event !== 'waiting') onEvent(event);
    },
  }).start();
  const [open, inside] = running.addresses as [string, string];
  // Unnamed wait: the system looks up its own name.
  const address = (await advertised?.(open)) ?? open;
  return {
    running,
    address,
    holding: () => holding,
    transport: withShortcut(transport, address, { transport: local, address: inside }),
    async end(left) {
      // Others have to have the weights.
      // Unnamed wait: what it awaits names its own waits.
      if (left && holding) await running.result;
      await running.stop();
    },
  };
}
