import type { Transport } from '@tutti/protocol';
import { type Clock, systemClock } from '@tutti/runtime';
import { createMemoryNetwork } from './memory/memory-network.js';

export interface LocalTransportOptions {
  /**
   * `turn` (the default) gives each message a turn of the event loop, so that timers and signals
   * get theirs. `microtask` delivers as soon as the sender has returned: for two roles that are
   * driven by messages from elsewhere, like a coordinator and the server beside it.
   */
  readonly delivery?: 'turn' | 'microtask';
  readonly clock?: Clock;
}

/** Links between roles in one process. Messages and payloads pass by reference. Addresses are any text. */
export function createLocalTransport(options: LocalTransportOptions = {}): Transport {
  const { delivery = 'turn', clock = systemClock } = options;
  return createMemoryNetwork({
    clock,
    codec: false,
    schedule:
      delivery === 'turn'
        ? (_, task) => void setImmediate(task)
        : (_, task) => queueMicrotask(task),
  }).transport('local');
}
