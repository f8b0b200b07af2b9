/**
 * Brings an address into the form `tcp://host:port` or `ipc://path`; `host:port` alone means tcp.
 * Returns undefined for anything else. IPv6 hosts stand in brackets.
 */
export function normalizeAddress(text: string): string | undefined {
  if (/^ipc:\/\/[^\s]+$/.test(text)) return text;
  const match = /^(?:tcp:\/\/)?(\[[0-9a-fA-F:.%]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 65535) return undefined;
  return `tcp://${match[1]}:${Number(match[2])}`;
}

/** An address of a host and a port as the environment gives them; the host may be a bare IPv6. */
export function addressOf(host: string, port: string): string {
  return `tcp://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}
