import type { Monitor } from '@tutti/runtime';
import { createOptimizer } from '@tutti/store';
import type { Deadlines } from '../coordinator-settings.js';
import type { Servers } from '../servers/servers.js';
import { type CollectedState, createCollectedState } from '../state/collected-state.js';
import type { Job } from '../state/job.js';
import type { Awaiting } from '../status/awaiting.js';

/** The stored parameters at the end of a training, as they come back from the servers. */
export interface FinalWeights extends Awaiting {
  /**
   * With the optimizer's state if that is to be saved; undefined if a server lost them meanwhile.
   * @param version the one that the servers hold
   */
  collect(version: number): Promise<CollectedState | undefined>;
  /** Some may have been asked of a server that is gone: asks again. */
  again(): void;
  /** A server sent the state of a chunk. */
  captured(version: number, chunk: number, payload: Uint8Array): void;
  /** They are not collected any more. */
  release(): void;
}

export function createFinalWeights(init: {
  readonly job: Job;
  readonly servers: Servers;
  readonly monitor: Monitor;
  readonly deadlines: Deadlines;
  /** Whether the optimizer's state is wanted too. */
  readonly slots: boolean;
  /** Whether a server has lost its weights. */
  readonly lost: () => boolean;
}): FinalWeights {
  const { servers, monitor, deadlines, lost } = init;
  const { plan, layout } = init.job;
  let state: CollectedState | undefined;

  function ask({ version }: CollectedState) {
    servers.sendToFirst({ type: 'capture', version, slots: init.slots });
  }

  return {
    async collect(version) {
      if (lost()) return undefined;
      const slots = init.slots ? createOptimizer(plan.optimizer).slots : 0;
      const collected = createCollectedState(layout, slots, version);
      state = collected;
      ask(collected);
      await monitor.until(
        () => collected.missing.size === 0 || lost(),
        () => ({
          who: servers.names,
          what: `send ${collected.missing.size} chunks of the trained weights`,
          remedy: 'See what the servers say.',
          deadlineMs: deadlines.serverMs,
        }),
      );
      return lost() ? undefined : collected;
    },
    again() {
      if (state !== undefined) ask(state);
    },
    captured(version, chunk, payload) {
      if (state?.version === version) state.take(chunk, payload);
    },
    awaitsWorker: () => undefined,
    awaitsServer(server) {
      const { firstChunk, chunks } = servers.rangeOf(server);
      const wanted = [...(state?.missing ?? [])].filter(
        (chunk) => chunk >= firstChunk && chunk < firstChunk + chunks,
      ).length;
      if (wanted === 0 || servers.views()[server]?.role !== 'primary') return undefined;
      return `send ${wanted} chunks of the trained weights`;
    },
    release() {
      state = undefined;
    },
  };
}
