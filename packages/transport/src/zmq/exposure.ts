import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { TuttiError } from '@tutti/runtime';
import { hostAndPort } from './address.js';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Refuses to listen without a key where other machines could connect.
 * @param wanted what was asked for
 * @param endpoints where that is
 * @throws TuttiError BAD_CONFIG
 */
export function refuseExposure(wanted: string, endpoints: readonly string[]): void {
  if (endpoints.every(isPrivate)) return;
  throw new TuttiError(
    'BAD_CONFIG',
    `Without a key Tutti does not listen at ${wanted}: whoever reaches it could take part in the job, and change it.`,
    {
      remedy:
        'Make a key once with `tutti keys job.key` and give it to all processes: --key-file job.key. On a network that is yours alone, --insecure does without.',
      details: { address: wanted },
    },
  );
}

/** Whether only this machine can connect. */
function isPrivate(endpoint: string): boolean {
  const place = hostAndPort(endpoint);
  // A path of this machine.
  if (place === undefined) return true;
  const version = isIP(place.host);
  if (version !== 0) return loopback.check(place.host, version === 4 ? 'ipv4' : 'ipv6');
  return networkInterfaces()[place.host]?.every(({ internal }) => internal) ?? false;
}
