import type { ResolvedSettings } from '@tutti/config';
import { type HostedServer, hostServer, tellOfServer } from '@tutti/launch/internal';
import type { Transport } from '@tutti/protocol';
import { type Timeline, TuttiError } from '@tutti/runtime';
import type { Output } from '../output/output.js';
import { roleSettings } from '../settings/role-settings.js';
import { advertised } from './advertised.js';

/**
 * Refuses a number of servers that nobody has named, for a command that starts no server processes.
 * @throws TuttiError BAD_CONFIG
 */
export function refuseUnstartedServers({ settings, sources }: ResolvedSettings): void {
  const { servers = 1, serverAddresses } = settings;
  if (servers === 'colocated' || servers === 1) return;
  if (serverAddresses?.length === servers * (1 + settings.replicas)) return;
  throw new TuttiError(
    'BAD_CONFIG',
    `servers is ${servers} (${sources.servers}), and nothing here starts so many`,
    {
      remedy:
        'Start them with tutti server, and name all of them with --server-addresses; or have each worker host one: --servers colocated.',
    },
  );
}

/** The server of this worker, reached as its coordinator is: from this machine alone, or from others. */
export async function hostOwnServer(
  { settings }: Pick<ResolvedSettings, 'settings'>,
  transport: Transport,
  renderer: Output['renderer'],
  timeline: Timeline | undefined,
): Promise<HostedServer> {
  const { coordinator, advertise } = settings;
  return hostServer({
    ...{ transport, timeline, settings: roleSettings(settings) },
    address: isLocal(coordinator) && advertise === undefined ? 'tcp://127.0.0.1:0' : 'tcp://*:0',
    onEvent: tellOfServer('the server of this worker', renderer),
    async advertised(address) {
      // Unnamed wait: the system looks up its own name.
      const { address: told, warning } = await advertised(address, advertise);
      if (warning !== undefined) renderer(warning);
      return told;
    },
  });
}

const isLocal = (address: string) =>
  /^(?:ipc:.*|tcp:\/\/(?:localhost|127\..*|\[::1\]):\d+)$/.test(address);
