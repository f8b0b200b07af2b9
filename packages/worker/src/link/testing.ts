import type { Connection, ConnectionHandlers, Message, Transport } from '@tutti/protocol';

/**
 * Only tests import this file: a transport of one connection that reaches nobody.
 * @param sent told of what is sent on it
 * @param closed told when it is closed
 * @returns `handlers` of who has connected last: call them for what comes
 */
export function createDeadEnd(
  sent: (message: Message) => void = () => {},
  closed: () => void = () => {},
): {
  readonly transport: Transport;
  readonly handlers: () => ConnectionHandlers;
} {
  let handlers: ConnectionHandlers | undefined;
  const transport: Transport = {
    listen: () => Promise.reject(new Error('A worker does not listen')),
    connect(address, given) {
      handlers = given;
      const traffic = { sentBytes: 0, receivedBytes: 0 };
      const send: Connection['send'] = ({ message }) => sent(message);
      return { address, send, close: async () => closed(), traffic };
    },
  };
  return { transport, handlers: () => handlers! };
}
