import { lookup } from 'node:dns/promises';

/** Finds the IP addresses of a host name, in the order to try them. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** As this machine does for all its programs: /etc/hosts, DNS and what else it is set up with. */
export const resolveWithSystem: Resolve = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
};

/** Why a name led to no address, as a clause with the name in it. */
export function faultOfName(host: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND') return `the name ${host} is not known on this machine (${code})`;
  if (code === 'EAI_AGAIN')
    return `the name ${host} cannot be looked up on this machine: no name server answers (${code})`;
  return `the name ${host} cannot be looked up on this machine (${code ?? message})`;
}
