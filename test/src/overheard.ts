import type { Envelope, Transport } from '@tutti/protocol';

/** A transport of which somebody hears all that is sent on the connections that it makes. */
export const overheard = (
  transport: Transport,
  hear: (address: string, envelope: Envelope) => void,
): Transport => ({
  ...transport,
  connect(address, handlers) {
    const connection = transport.connect(address, handlers);
    return {
      ...connection,
      send(envelope) {
        hear(address, envelope);
        connection.send(envelope);
      },
    };
  },
});
