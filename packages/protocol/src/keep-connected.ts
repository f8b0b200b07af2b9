import type { Clock, Timer } from '@tutti/runtime';
import type {
  ConnectFault,
  Connection,
  ConnectionHandlers,
  Envelope,
  PlacePayload,
} from './link.js';
import { RECONNECT_PAUSE_MS } from './tunables.js';

/** A connection to a peer that is looked for again whenever it is gone. */
export interface KeptConnection {
  /** Dropped while the peer is gone: what it must hear then is for `again`. */
  send(envelope: Envelope): void;
  /** Why the peer cannot be reached, while that is so. */
  fault(): ConnectFault | undefined;
  /** Bytes sent and received, over all connections. */
  traffic(): number;
  /** As if the connection were lost now. */
  drop(reason: string): void;
  /** Delivers what was sent, for at most `lingerMs`, then closes; the peer is not looked for any more. */
  close(lingerMs?: number): Promise<void>;
}

export interface KeptHandlers {
  message(envelope: Envelope): void;
  readonly place?: PlacePayload;
  /** The peer has answered: messages pass now. */
  opened?(): void;
  /** An attempt to connect has failed, and there will be others. */
  unreached?(fault: ConnectFault): void;
  /**
   * The peer is gone, or could not be reached: then with the last fault.
   * @returns whether it is looked for again
   */
  lost(reason: string, fault?: ConnectFault): boolean;
  /** There is a new connection: what is sent now is the first to arrive on it. */
  again(): void;
}

/** @param connect makes one connection, as `Transport.connect` does */
export function keepConnected(
  connect: (handlers: ConnectionHandlers) => Connection,
  clock: Clock,
  handlers: KeptHandlers,
): KeptConnection {
  let fault: ConnectFault | undefined;
  let past = 0;
  let closed = false;
  let pause: Timer | undefined;
  let connection = connectOnce();

  function connectOnce(): Connection {
    return connect({
      message: handlers.message,
      ...(handlers.place && { place: handlers.place }),
      opened() {
        fault = undefined;
        handlers.opened?.();
      },
      unreached(now) {
        if (closed) return;
        fault = now;
        handlers.unreached?.(now);
      },
      closed: lost,
    });
  }

  function lost(reason: string, why?: ConnectFault) {
    if (closed || !handlers.lost(reason, why)) return;
    // It may have been dropped while it was looked for.
    pause?.cancel();
    pause = clock.after(RECONNECT_PAUSE_MS, () => {
      past += bytesOf(connection);
      connection = connectOnce();
      handlers.again();
    });
  }

  return {
    send: (envelope) => connection.send(envelope),
    fault: () => fault,
    traffic: () => past + bytesOf(connection),
    drop(reason) {
      // Unnamed wait: nobody waits for it.
      void connection.close(0);
      lost(reason);
    },
    close(lingerMs) {
      closed = true;
      pause?.cancel();
      return connection.close(lingerMs);
    },
  };
}

const bytesOf = ({ traffic }: Connection) => traffic.sentBytes + traffic.receivedBytes;
