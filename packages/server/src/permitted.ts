import type { Advanced, ShardReport, StepReports } from '@tutti/protocol';
import { createChunkCounts } from './chunk-counts.js';
import { MOST_REPORTS_AT_ONCE } from './tunables.js';

/** What was applied without an order, until the coordinator is told of it. */
export interface Permitted {
  /** @param digest of the sum; '' if it is not wanted */
  applied(step: number, chunk: number, recorded: boolean, digest: string): void;
  clear(): void;
}

/** @param init.chunks that are held here: those of a step are told together, if they are applied soon */
export function createPermitted(init: {
  readonly chunks: number;
  readonly tell: (body: Advanced) => void;
  readonly defer: (task: () => void) => void;
}): Permitted {
  const { chunks, tell, defer } = init;
  const applied = createChunkCounts(chunks);
  let untold: { step: number; recorded: boolean; chunks: number[]; digests: string[] } | undefined;
  let telling = false;

  function tellNow() {
    telling = false;
    if (untold === undefined) return;
    const { step, recorded, chunks, digests } = untold;
    untold = undefined;
    tell({ type: 'advanced', step, chunks, ...(recorded && { digests }) });
  }

  return {
    applied(step, chunk, recorded, digest) {
      if (untold?.step !== step) tellNow();
      untold ??= { step, recorded, chunks: [], digests: [] };
      untold.chunks.push(chunk);
      untold.digests.push(digest);
      if (applied.add(step)) return tellNow();
      if (telling) return;
      telling = true;
      defer(tellNow);
    },
    clear() {
      untold = undefined;
      applied.clear();
    },
  };
}

/** Reports of shards whose gradients came here. */
export interface KeptReports {
  keep(step: number, reports: readonly ShardReport[]): void;
  /** Those of steps before this one. */
  forget(before: number): void;
  /** By step, as many together as fit into a message. */
  all(): StepReports[];
  clear(): void;
}

export function createKeptReports(): KeptReports {
  const steps = new Map<number, Map<number, ShardReport>>();
  return {
    keep(step, reports) {
      const kept = steps.get(step) ?? new Map<number, ShardReport>();
      steps.set(step, kept);
      for (const report of reports) if (!kept.has(report.shard)) kept.set(report.shard, report);
    },
    forget(before) {
      for (const step of steps.keys()) if (step < before) steps.delete(step);
    },
    all: () =>
      [...steps].flatMap(([step, kept]) => {
        const shards = [...kept.values()];
        const parts = Math.ceil(shards.length / MOST_REPORTS_AT_ONCE);
        return Array.from({ length: parts }, (_, part) => ({
          step,
          shards: shards.slice(part * MOST_REPORTS_AT_ONCE, (part + 1) * MOST_REPORTS_AT_ONCE),
        }));
      }),
    clear: () => steps.clear(),
  };
}
