import type { ConnectFault } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';
import {
  ATTEMPT_MS,
  ATTEMPT_OF_SEVERAL_MS,
  NAME_KEPT_MS,
  NAME_PAUSE_MS,
  REFUSED_WITHIN_MS,
} from '../tunables.js';
import { hostAndPort, knownHosts, tcpAddress } from './address.js';
import { faultOfName, type Resolve } from './resolve.js';
import { faultOfRoute } from './route.js';

/** Where one attempt goes. */
export interface Attempt {
  /** For libzmq: a numeric host, or `ipc://`. */
  readonly endpoint: string;
  readonly limitMs: number;
  /** What is to be said of it if it fails. */
  fault(how: 'not-accepted' | 'hung-up' | 'mute'): Promise<ConnectFault>;
}

/** A name that leads nowhere. */
export interface NoAttempt {
  readonly fault: ConnectFault;
  readonly pauseMs: number;
}

/**
 * Finds out where to connect: each attempt goes to the next IP address that a name has, so that it
 * does not matter which of them the peer listens at, of IPv4 or IPv6.
 * @param address one without fault: see `faultOfAddress`
 */
export function createDialler(init: {
  readonly address: string;
  readonly resolve: Resolve;
  readonly clock: Clock;
}): { next(): Promise<Attempt | NoAttempt> } {
  const { address, resolve, clock } = init;
  const place = hostAndPort(address);
  const known = place && knownHosts(place.host);
  let found: { readonly hosts: readonly string[]; readonly atMs: number } | undefined;
  let turn = 0;

  async function hostsOf(name: string): Promise<readonly string[]> {
    if (known !== undefined) return known;
    if (found === undefined || clock.now() - found.atMs >= NAME_KEPT_MS)
      found = { hosts: await resolve(name), atMs: clock.now() };
    return found.hosts;
  }

  return {
    async next() {
      if (place === undefined) return attemptOf(address, 1, async () => undefined, address, clock);
      const { host: name, port } = place;
      try {
        const hosts = await hostsOf(name);
        const host = hosts[turn++ % hosts.length]!;
        const said = host === name ? host : `${name} (${host})`;
        const route = () => faultOfRoute(host, Number(port));
        return attemptOf(tcpAddress(host, port), hosts.length, route, said, clock);
      } catch (error) {
        return { fault: nameless(name, error), pauseMs: NAME_PAUSE_MS };
      }
    },
  };
}

function attemptOf(
  endpoint: string,
  hosts: number,
  route: () => Promise<string | undefined>,
  host: string,
  clock: Clock,
): Attempt {
  const startedMs = clock.now();
  return {
    endpoint,
    limitMs: hosts > 1 ? ATTEMPT_OF_SEVERAL_MS : ATTEMPT_MS,
    async fault(how) {
      if (how === 'hung-up')
        return {
          kind: 'foreign',
          reason: `what listens there hangs up on the protocol of Tutti`,
          remedy:
            'See what listens at that port: another service, or a proxy with nobody behind it.',
        };
      if (how === 'mute')
        return {
          kind: 'silent',
          reason: 'something accepts the connection there and says nothing',
          remedy:
            'See whether it is Tutti that listens there, and whether its process stands still.',
        };
      const code = await route();
      if (code !== undefined)
        return {
          kind: 'route',
          reason: `this machine knows no way to ${host}: ${code}`,
          remedy: 'See the network of this machine, or give another address of the other one.',
        };
      if (clock.now() - startedMs >= REFUSED_WITHIN_MS)
        return {
          kind: 'silent',
          reason: `${host} does not answer`,
          remedy: 'See whether that machine runs, and whether a firewall keeps the port from it.',
        };
      return {
        kind: 'refused',
        reason: `nobody listens there${host.includes('(') ? `, at ${host}` : ''}`,
        remedy: 'See whether it runs, and at which address it listens.',
      };
    },
  };
}

function nameless(name: string, error: unknown): ConnectFault {
  return {
    kind: 'name',
    reason: faultOfName(name, error),
    remedy:
      'Correct the name, let this machine know it (name service, /etc/hosts), or give an IP address.',
  };
}
