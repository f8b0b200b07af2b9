import type { Advance } from '@tutti/protocol';
import type { Servers } from '../servers/servers.js';

/** Orders to apply sums that the servers hold themselves, until they are acknowledged. */
export interface Advances {
  send(server: number, order: Advance): void;
  /** The order that a server has followed for a chunk; undefined if none was on its way. */
  advanced(server: number, step: number, chunk: number): Advance | undefined;
  /** A server is back with what it had: it is told again what it did not acknowledge. */
  resend(server: number): void;
  /** Chunks that a server has not acknowledged. */
  outstanding(server: number): number;
  /** It is gone for good. */
  forget(server: number): void;
  clear(): void;
}

export function createAdvances(send: Servers['send']): Advances {
  /** By server, the order for each chunk that is not acknowledged. */
  const underWay = new Map<number, Map<number, Advance>>();
  return {
    send(server, order) {
      const orders = underWay.get(server) ?? new Map<number, Advance>();
      underWay.set(server, orders);
      for (const chunk of order.chunks) orders.set(chunk, order);
      send(server, order);
    },
    advanced(server, step, chunk) {
      const orders = underWay.get(server);
      const order = orders?.get(chunk);
      if (order?.step !== step) return undefined;
      orders!.delete(chunk);
      return order;
    },
    resend(server) {
      const orders = underWay.get(server) ?? new Map<number, Advance>();
      for (const order of new Set(orders.values())) {
        const chunks = order.chunks.filter((chunk) => orders.get(chunk) === order);
        send(server, { ...order, chunks });
      }
    },
    outstanding: (server) => underWay.get(server)?.size ?? 0,
    forget: (server) => void underWay.delete(server),
    clear: () => underWay.clear(),
  };
}
