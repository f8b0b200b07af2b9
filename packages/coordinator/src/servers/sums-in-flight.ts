import type { Block } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { Apply } from '@tutti/protocol';
import type { ReadySum } from '@tutti/run';
import { createBufferPool } from '@tutti/runtime';
import type { Servers } from './servers.js';
import { windowWidth } from './window.js';

/** Sums on their way to the servers: kept until every living holder of the chunk has applied them. */
export interface SumsInFlight {
  /** @param rate factor of the learning rate */
  send(step: number, ready: ReadySum, rate: number): void;
  /** Whether there is room for one more chunk on the way to each of its holders. */
  admits(chunk: number): boolean;
  /** A holder has it. True once all have. */
  applied(server: number, step: number, chunk: number): boolean;
  /** A holder is gone for good; returns the chunks that wait for nobody now. */
  forget(server: number): number[];
  /** A holder is back with what it had: it is sent again what it did not acknowledge. */
  resend(server: number): void;
  /** Chunks that a holder has not acknowledged. */
  outstanding(server: number): number;
  /** Nothing of this is wanted any more, and the steps that it is of may give their memory back. */
  clear(): void;
}

interface SumInFlight {
  readonly body: Apply;
  /** Belongs to the step, which keeps it until all have applied it. */
  readonly sum: Block;
  /** Copies that sockets may still read. */
  readonly copies: Uint8Array[];
  readonly waiting: Set<number>;
}

/** @param delivered is shown each sum once all have it; what it is shown is not kept for it */
export function createSumsInFlight(
  servers: Servers,
  layout: Layout,
  delivered: (apply: Apply, sum: Uint8Array) => void,
): SumsInFlight {
  const pool = createBufferPool();
  const underWay = new Map<number, SumInFlight>();
  /** By server, the chunks that it has not acknowledged. */
  const counts = new Map<number, number>();
  const countOf = (server: number) => counts.get(server) ?? 0;

  function settle(chunk: number, server: number): boolean {
    const delivery = underWay.get(chunk);
    if (delivery === undefined || !delivery.waiting.delete(server)) return false;
    counts.set(server, countOf(server) - 1);
    if (delivery.waiting.size > 0) return false;
    delivered(delivery.body, delivery.sum.bytes);
    // An acknowledgement also says that the bytes have left the socket's queue.
    for (const copy of delivery.copies) pool.give(copy);
    underWay.delete(chunk);
    return true;
  }

  function copyOf({ sum, copies }: SumInFlight): Uint8Array {
    const copy = pool.take(sum.bytes.byteLength);
    copy.set(sum.bytes);
    copies.push(copy);
    return copy;
  }

  return {
    send(step, { chunk, sum, count, scale }, rate) {
      const factor = rate === 1 ? {} : { rate };
      const body = { type: 'apply', step, chunk, count, scale, ...factor } as const;
      const waiting = new Set(servers.holders(chunk));
      const delivery: SumInFlight = { body, sum, copies: [], waiting };
      underWay.set(chunk, delivery);
      for (const server of waiting) servers.send(server, body, sum.bytes, () => copyOf(delivery));
      for (const server of waiting) counts.set(server, countOf(server) + 1);
    },
    admits(chunk) {
      const width = windowWidth(layout, 1);
      return servers.holders(chunk).every((server) => countOf(server) < width);
    },
    applied(server, step, chunk) {
      return underWay.get(chunk)?.body.step === step && settle(chunk, server);
    },
    forget: (server) => [...underWay.keys()].filter((chunk) => settle(chunk, server)),
    resend(server) {
      for (const delivery of underWay.values()) {
        const { body, sum, waiting } = delivery;
        if (waiting.has(server)) servers.send(server, body, sum.bytes, () => copyOf(delivery));
      }
    },
    outstanding: countOf,
    clear() {
      underWay.clear();
      counts.clear();
    },
  };
}
