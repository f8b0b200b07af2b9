import type { Transport } from '@tutti/protocol';
import { type Clock, systemClock } from '@tutti/runtime';
import { createMemoryNetwork } from './memory-network.js';

/**
 * Links between roles in one process. Messages and payloads pass by reference, each in a turn of the
 * event loop of its own, so that timers and signals get theirs. Addresses are any text.
 */
export function createLocalTransport(options: { readonly clock?: Clock } = {}): Transport {
  return createMemoryNetwork({
    clock: options.clock ?? systemClock,
    codec: false,
    schedule: (_, task) => void setImmediate(task),
  }).transport('local');
}
