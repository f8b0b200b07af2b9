import type { ConnectFault } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';
import {
  ATTEMPT_MS,
  ATTEMPT_OF_SEVERAL_MS,
  HANDSHAKE_MS,
  NAME_KEPT_MS,
  NAME_PAUSE_MS,
  REFUSED_WITHIN_MS,
} from '../tunables.js';
import { hostAndPort, knownHosts, tcpAddress } from './address.js';
import { type Mechanism, mechanismAt } from './greeting.js';
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

/** Two clocks may differ by a little: from this much of the time for a handshake on, it was that. */
const SLOW_SHARE = 0.9;

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
  /** How we show that we may connect. */
  readonly mechanism: Mechanism;
}): { next(): Promise<Attempt | NoAttempt> } {
  const { address, resolve, clock, mechanism } = init;
  const own = { clock, mechanism };
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
      if (place === undefined)
        return attemptOf({
          ...own,
          endpoint: address,
          host: address,
          route: async () => undefined,
          limitMs: ATTEMPT_MS,
        });
      const { host: name, port } = place;
      try {
        const hosts = await hostsOf(name);
        const host = hosts[turn++ % hosts.length]!;
        const said = host === name ? host : `${name} (${host})`;
        const route = () => faultOfRoute(host, Number(port));
        const limitMs = hosts.length > 1 ? ATTEMPT_OF_SEVERAL_MS : ATTEMPT_MS;
        return attemptOf({ ...own, endpoint: tcpAddress(host, port), host: said, route, limitMs });
      } catch (error) {
        return { fault: nameless(name, error), pauseMs: NAME_PAUSE_MS };
      }
    },
  };
}

function attemptOf(init: {
  readonly endpoint: string;
  readonly limitMs: number;
  /** As it is called in a fault. */
  readonly host: string;
  readonly route: () => Promise<string | undefined>;
  readonly clock: Clock;
  readonly mechanism: Mechanism;
}): Attempt {
  const { endpoint, limitMs, host, route, clock, mechanism } = init;
  const startedMs = clock.now();

  async function hungUp(): Promise<ConnectFault> {
    const tookMs = clock.now() - startedMs;
    const theirs = await mechanismAt(endpoint, mechanism, clock);
    // A key is refused at once. Whoever has the same may be the one that was too slow, or not answered in time.
    if (tookMs >= SLOW_SHARE * HANDSHAKE_MS && (theirs === undefined || theirs === mechanism))
      return {
        kind: 'silent',
        reason: `something accepted the connection there, and hung up after ${(tookMs / 1000).toFixed(1)} s without an answer`,
        remedy:
          'See whether it is Tutti that listens there, and whether its process stands still or has more connections than it may open (ulimit -n).',
      };
    const ofKey = theirs && faultOfKey(mechanism, theirs);
    if (ofKey !== undefined) return ofKey;
    return {
      kind: 'foreign',
      reason: `what listens there hangs up on the protocol of Tutti`,
      remedy: 'See what listens at that port: another service, or a proxy with nobody behind it.',
    };
  }

  async function notAccepted(): Promise<ConnectFault> {
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
  }

  return {
    endpoint,
    limitMs,
    async fault(how) {
      if (how === 'hung-up') return hungUp();
      if (how === 'not-accepted') return notAccepted();
      return {
        kind: 'silent',
        reason: 'something accepts the connection there and says nothing',
        remedy: 'See whether it is Tutti that listens there, and whether its process stands still.',
      };
    },
  };
}

/** Why two that speak the same protocol do not come together; undefined if both are without a key. */
function faultOfKey(ours: Mechanism, theirs: Mechanism): ConnectFault | undefined {
  if (ours === 'NULL' && theirs === 'NULL') return undefined;
  const both = ours === theirs;
  const reason = both
    ? 'it has another key'
    : ours === 'NULL'
      ? 'it wants the key of its job, and there is none here'
      : 'it has no key, and there is one here';
  return {
    kind: 'key',
    reason,
    remedy:
      'Give all processes of the job the same key file (--key-file, or TUTTI_KEY_FILE), or none of them one.',
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
