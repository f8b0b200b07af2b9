import { isIPv6 } from 'node:net';

/**
 * Brings an address into the form `tcp://host:port` or `ipc://path`; `host:port` alone means tcp.
 * Returns undefined for anything else. An IPv6 host may be given without brackets, and gets them.
 */
export function normalizeAddress(text: string): string | undefined {
  if (/^ipc:\/\/[^\s]+$/.test(text)) return text;
  const match = /^(?:tcp:\/\/)?(\S+):(\d{1,5})$/.exec(text);
  const host = match === null ? undefined : normalizeHost(match[1]!);
  const port = Number(match?.[2]);
  return host === undefined || port > 65535 ? undefined : `tcp://${host}:${port}`;
}

/**
 * A host name, an IP address or `*` as it stands in an address: IPv6 in brackets. Returns undefined
 * for anything else, a port behind it among that.
 */
export function normalizeHost(text: string): string | undefined {
  const bare = /^\[(.+)\]$/.exec(text)?.[1] ?? text;
  if (bare.includes(':')) return isIPv6(bare) ? `[${bare}]` : undefined;
  return bare === text && /^[^\s:/[\]]+$/.test(text) ? text : undefined;
}

/** Whether a host means all interfaces of the machine that listens: nobody can connect to it. */
export function isEveryInterface(host: string): boolean {
  return ['*', '0.0.0.0', '::', '[::]'].includes(host);
}
