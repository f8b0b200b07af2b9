import type { Transport } from '@tutti/protocol';
import { type Clock, systemClock } from '@tutti/runtime';
import { createMemoryNetwork } from './memory/memory-network.js';

export interface LocalTransportOptions {
  /**
   * `turn` (the default) gives each message a turn of the event loop, so that timers and signals
   * get theirs. `microtask` delivers as soon as the sender has returned: for two roles that are
   * driven by messages from elsewhere, like a coordinator and the server beside it. `now` delivers before the
   * sender goes on, so that what it lends is not copied; what is said in answer comes as a microtask.
   */
  readonly delivery?: 'turn' | 'microtask' | 'now';
  readonly clock?: Clock;
}

/** Links between roles in one process. Messages and payloads pass by reference. Addresses are any text. */
export function createLocalTransport(options: LocalTransportOptions = {}): Transport {
  const { delivery = 'turn', clock = systemClock } = options;
  const schedule = DELIVERIES[delivery]();
  return createMemoryNetwork({
    clock,
    codec: false,
    schedule: (_, task) => schedule(task),
  }).transport('local');
}

type Schedule = (task: () => void) => void;

const DELIVERIES: Readonly<Record<'turn' | 'microtask' | 'now', () => Schedule>> = {
  turn: () => (task) => void setImmediate(task),
  microtask: () => queueMicrotask,
  now() {
    let delivering = false;
    const deliver = (task: () => void) => {
      delivering = true;
      try {
        task();
      } finally {
        delivering = false;
      }
    };
    // No handler is called in the middle of another.
    return (task) => (delivering ? queueMicrotask(() => deliver(task)) : deliver(task));
  },
};
