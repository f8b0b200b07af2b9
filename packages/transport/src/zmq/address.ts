/**
 * What is wrong with an address, or undefined. libzmq alone would take `tcp://host:99999` for some
 * other port without a word.
 */
export function faultOfAddress(address: string): string | undefined {
  if (/^ipc:\/\/.+/.test(address)) return undefined;
  const port = /^tcp:\/\/[^\s/]+:(\d+|\*)$/.exec(address)?.[1];
  if (port === undefined) return 'it is neither tcp://host:port nor ipc://path';
  return Number(port) > 65_535 ? `port ${port} is above 65535` : undefined;
}

/** libzmq binds to interfaces and numeric addresses only, and takes `*` for any free port. */
export function bindable(address: string): string {
  return connectable(address).replace(/:0$/, ':*');
}

/** So that both sides mean the same by localhost, whatever the resolver prefers. */
export function connectable(address: string): string {
  return address.replace('//localhost:', '//127.0.0.1:');
}
