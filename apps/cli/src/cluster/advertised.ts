import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import { isEveryInterface } from '@tutti/config';
import type { RunEvent } from '@tutti/telemetry';

/** How a machine is called, and whether it knows a name. */
export interface HostNames {
  readonly own: string;
  isKnown(name: string): Promise<boolean>;
}

const ofThisMachine: HostNames = {
  own: hostname(),
  isKnown: (name) =>
    lookup(name).then(
      () => true,
      () => false,
    ),
};

/**
 * Where workers connect to what listens at `address`: nobody can connect to "every interface".
 * @param advertise the host that was given for it
 * @returns `warning` if that is a name which not even this machine knows
 */
export async function advertised(
  address: string,
  advertise: string | undefined,
  names: HostNames = ofThisMachine,
): Promise<{ readonly address: string; readonly warning?: RunEvent }> {
  const match = /^tcp:\/\/(.+):(\d+)$/.exec(address);
  if (match === null) return { address };
  const [, listening, port] = match;
  const host = advertise ?? (isEveryInterface(listening!) ? names.own : listening!);
  const told = `tcp://${host}:${port}`;
  // Unnamed wait: the system looks up its own name.
  if (host === listening || (await names.isKnown(host.replace(/^\[(.*)\]$/, '$1'))))
    return { address: told };
  return {
    address: told,
    warning: {
      event: 'warning',
      code: 'ADDRESS_UNAVAILABLE',
      message: `Workers are told to reach this machine by the name ${host}, which this machine itself does not know`,
      remedy: 'Give --advertise and a host name or IP address by which workers reach this machine.',
    },
  };
}
