import { tellOfServer } from '@tutti/launch/internal';
import type { Transport } from '@tutti/protocol';
import { isTuttiError, type Timeline, TuttiError } from '@tutti/runtime';
import { createServer, type RunningServer, type ServerSettings } from '@tutti/server';
import { createLocalTransport } from '@tutti/transport';
import type { Output } from '../output/output.js';

/** The server in a coordinator's process. */
interface ServerBeside {
  readonly running: RunningServer;
  /** Where it listens, for whoever is elsewhere. */
  readonly address: string;
  /** Where the coordinator reaches it, without a socket. */
  readonly inside: { readonly connect: string; readonly transport: Transport };
}

/**
 * Starts the server of a coordinator that listens at `coordinator`: on the same interface, so that whoever
 * reaches the one also reaches the other, and at the next port, so that a firewall can have a rule for it.
 */
export async function startServerBeside(
  coordinator: string,
  init: {
    readonly transport: Transport;
    readonly settings: ServerSettings;
    readonly signal: AbortSignal;
    readonly renderer: Output['renderer'];
    readonly timeline: Timeline | undefined;
  },
): Promise<ServerBeside> {
  const { renderer, ...rest } = init;
  const transport = createLocalTransport({ delivery: 'microtask' });
  // Unnamed wait: it opens a port of this machine.
  const running = await createServer({
    ...rest,
    address: portBeside(coordinator),
    alsoListen: [{ transport, address: 'local://server' }],
    onEvent: tellOfServer('the server', renderer),
  })
    .start()
    .catch((error) => {
      throw besideOf(coordinator, error);
    });
  const [address, connect] = running.addresses as [string, string];
  return { running, address, inside: { connect, transport } };
}

function portBeside(address: string): string {
  const [, interfaces, port] = /^(tcp:.*):(\d+)$/.exec(address) ?? [];
  if (port === undefined) return 'tcp://127.0.0.1:0';
  return `${interfaces}:${port === '0' ? 0 : port === '65535' ? 65534 : Number(port) + 1}`;
}

/** The error names a port that nobody has given. */
function besideOf(coordinator: string, error: unknown): unknown {
  if (!isTuttiError(error)) return error;
  const { code, message, remedy, details } = error;
  const whose = `That is where the server of the coordinator at ${coordinator} would listen.`;
  return new TuttiError(code, `${message} ${whose}`, { remedy, details, cause: error });
}
