import type { Envelope, Transport } from '@tutti/protocol';

/** A process that may hang, as in an endless loop: its connections stand, and it neither hears nor says anything. */
export interface Hanging {
  hangs(): boolean;
  /** What waits for it to go on. */
  readonly resumed: { push(go: () => void): void };
}

/** The network as such a process has it. */
export function withHanging(transport: Transport, { hangs, resumed }: Hanging): Transport {
  /** Now, or when it goes on: until then what was handed over with it may have been taken back. */
  function later(handle: (envelope: Envelope) => void, envelope: Envelope) {
    if (!hangs()) return handle(envelope);
    const { message, payload } = envelope;
    const held = payload === undefined ? { message } : { message, payload: payload.slice() };
    resumed.push(() => handle(held));
  }

  return {
    ...transport,
    async listen(address, handlers) {
      const listener = await transport.listen(address, {
        ...handlers,
        message: (peer, envelope) => later((each) => handlers.message(peer, each), envelope),
      });
      return {
        ...listener,
        send: (peer, envelope) => later((each) => listener.send(peer, each), envelope),
        broadcast: (peers, envelope) => later((each) => listener.broadcast(peers, each), envelope),
      };
    },
    connect(address, handlers) {
      const connection = transport.connect(address, {
        ...handlers,
        message: (envelope) => later(handlers.message, envelope),
      });
      return { ...connection, send: (envelope) => later(connection.send, envelope) };
    },
  };
}
