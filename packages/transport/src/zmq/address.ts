import { isIP, isIPv6 } from 'node:net';

/** The two parts of `tcp://host:port`; an IPv6 host is without its brackets. */
export interface HostAndPort {
  readonly host: string;
  readonly port: string;
}

/** Undefined for anything else. An IPv6 host may stand in brackets, as in a URL, or without. */
export function hostAndPort(address: string): HostAndPort | undefined {
  const match = /^tcp:\/\/(?:\[([^\s/[\]]+)\]|([^\s/[\]]+)):(\d+|\*)$/.exec(address);
  if (match === null) return undefined;
  const [, bracketed, bare, port] = match;
  const host = bracketed ?? bare!;
  if (host.includes(':') && !isIPv6(host)) return undefined;
  return { host, port: port! };
}

/** The address of a host and a port; an IPv6 host gets its brackets. */
export function tcpAddress(host: string, port: string): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * What is wrong with an address, or undefined. libzmq alone would take `tcp://host:99999` for some
 * other port without a word.
 */
export function faultOfAddress(address: string): string | undefined {
  if (/^ipc:\/\/.+/.test(address)) return undefined;
  const port = hostAndPort(address)?.port;
  if (port === undefined) return 'it is neither tcp://host:port nor ipc://path';
  return Number(port) > 65_535 ? `port ${port} is above 65535` : undefined;
}

/** Whether a host means all interfaces of the machine that listens. */
export function isEveryInterface(host: string): boolean {
  return host === '*' || host === '0.0.0.0' || host === '::';
}

/**
 * The hosts that can be known without asking anybody, in the order to try them; undefined for a name.
 * Nobody can connect to "every interface": whoever is told so is on the same machine.
 */
export function knownHosts(host: string): readonly string[] | undefined {
  // So that both sides mean the same by localhost, whatever the resolver prefers.
  if (host === 'localhost' || isEveryInterface(host)) return ['127.0.0.1', '::1'];
  return isIP(host) === 0 ? undefined : [host];
}
