import { availableParallelism, freemem } from 'node:os';
import { WORKER_BYTES } from '../tunables.js';

export interface Machine {
  readonly cores: number;
  /** Bytes that this process and its children may still take. */
  readonly freeBytes: number;
}

export function thisMachine(): Machine {
  // Node 20.13 and 22 know the limit of a container.
  const freeBytes = (process as { availableMemory?(): number }).availableMemory?.() ?? freemem();
  return { cores: availableParallelism(), freeBytes };
}

/** A worker for each core that there is memory for; no more than there are shards, at least one. */
export function defaultWorkers({ cores, freeBytes }: Machine, shards: number): number {
  return Math.max(1, Math.min(cores, Math.floor(freeBytes / WORKER_BYTES), shards));
}
