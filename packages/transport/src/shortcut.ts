import type { Transport } from '@tutti/protocol';

/** Reaches what has this address, which is in the same process, by another way. */
export function withShortcut(
  transport: Transport,
  address: string,
  by: { readonly transport: Transport; readonly address: string },
): Transport {
  return {
    ...transport,
    connect: (wanted, handlers) =>
      wanted === address
        ? by.transport.connect(by.address, handlers)
        : transport.connect(wanted, handlers),
  };
}
