import type { Block, Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import {
  type Contribution,
  type Enclosed,
  type Gather,
  type JobPlan,
  type Permit,
  permittedOrder,
  type ServerToCoordinator,
  type ServerToWorker,
  type ShardReport,
  type StepOrder,
  type SumFacts,
} from '@tutti/protocol';
import { createLanding, createReducer, type Offer, pathTo, type Reducer } from '@tutti/reduction';
import type { Timeline } from '@tutti/runtime';
import { createChunkCounts } from './chunk-counts.js';
import { createKeptReports, createPermitted } from './permitted.js';
import { MOST_SUMS_AT_ONCE } from './tunables.js';

/**
 * Makes the sums of the chunks that are held here, where the job has it so: it tells the coordinator
 * which are complete, and that one says when they may be applied.
 */
export interface Aggregator {
  /** Takes contributions of this attempt and these workers from now on, and answers what there is. */
  gather(coordinator: string, message: Gather): void;
  /** Takes a permission to apply sums without an order, and does with what is there. */
  permit(message: Permit): void;
  /** Whether a step may be applied without an order. */
  permits(step: number): boolean;
  /** Where a contribution may be read to; undefined if it is not wanted or has another length. */
  landing(contribution: Contribution, session: string, bytes: number): Uint8Array | undefined;
  /** @param session of the worker that sent it, whose connection `peer` is */
  contribute(peer: string, session: string, contribution: Contribution, payload: Uint8Array): void;
  /** The complete sum of a chunk; undefined if there is none. */
  sum(step: number, chunk: number): Block | undefined;
  /** The chunk is at the version after this step: nothing more is taken for it. */
  applied(step: number, chunk: number): void;
  /** A connection is gone. */
  forget(peer: string): void;
  /** Makes no sums any more, until it is told to. */
  stop(): void;
}

/** The attempt that is followed. */
interface Attempt {
  readonly id: string;
  /** The connection of the coordinator that has named it. */
  coordinator: string;
  workers: ReadonlySet<string>;
  /** By chunk, the last step that was applied in this attempt. */
  readonly closed: Map<number, number>;
  permit?: Permit;
}

export function createAggregator(init: {
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly kernels: Kernels;
  readonly timeline: Timeline;
  /** Those that are held here. */
  readonly chunks: readonly number[];
  /** That of a chunk now; -1 before it has weights. */
  readonly version: (chunk: number) => number;
  /** Applies a sum. @returns its digest, if that is wanted, or '' */
  readonly apply: (order: StepOrder, chunk: number) => string;
  readonly send: (
    peer: string,
    body: ServerToCoordinator | ServerToWorker,
    rest?: Enclosed,
  ) => void;
  /** Has something done a moment later, after what is waiting to be handled. */
  readonly defer: (task: () => void) => void;
}): Aggregator {
  const { plan, layout, kernels, timeline, chunks, version, apply, send, defer } = init;
  const { shards } = plan;
  const packed = plan.gradientCompression !== undefined;
  const clips = plan.optimizer.clipNorm !== undefined;
  const held = new Set(chunks);
  const landing = createLanding(kernels);
  let attempt: Attempt | undefined;
  /** By step and chunk. Workers are at the step under way, or at the one before or after it. */
  const reducers = new Map<string, { step: number; chunk: number; reducer: Reducer }>();
  /** Those who contributed what could not be taken: by connection, in which attempt and session. */
  const unheard = new Map<string, { readonly attempt: string; readonly session: string }>();
  let heard = new Set<string>();
  /** The sums that have become complete and were not applied at once. */
  const complete = createChunkCounts(chunks.length);
  /** Complete and not told yet. */
  let fresh: SumFacts[] = [];
  let telling = false;
  const permitted = createPermitted({
    ...{ plan, chunks: chunks.length, defer },
    tell(body) {
      if (attempt === undefined) return;
      // The coordinator lets go on in time, if it is told in time.
      const unhurried = body.step + 2 < attempt.permit!.until;
      send(attempt.coordinator, { ...body, attempt: attempt.id }, { unhurried });
    },
  });
  /** What workers reported, as far as the coordinator may not know it. */
  const reports = createKeptReports();

  const keyOf = (step: number, chunk: number) => `${step}/${chunk}`;

  /** Whether a sum of this step is still to be made, or awaits its order. */
  function isWanted(step: number, chunk: number): boolean {
    const now = version(chunk);
    // Another that holds the same may have gone on, and workers with it; and a coordinator that has come back
    // may need once more what the one before has had applied.
    return step <= now + 1 && step >= now - 1 && step > (attempt?.closed.get(chunk) ?? -1);
  }

  function reducerOf(step: number, chunk: number): Reducer {
    const key = keyOf(step, chunk);
    const found = reducers.get(key);
    if (found !== undefined) return found.reducer;
    const length = layout.chunkLength(chunk);
    const reducer = createReducer({ kernels, shards, length, packed });
    reducers.set(key, { step, chunk, reducer });
    return reducer;
  }

  function release() {
    for (const { reducer } of reducers.values()) reducer.release();
    reducers.clear();
    complete.clear();
    landing.release();
    heard = new Set();
    fresh = [];
    permitted.clear();
    reports.clear();
  }

  /** Whether it was applied, as is permitted. */
  function applyPermitted(step: number, chunk: number, reducer: Reducer): boolean {
    const permit = attempt?.permit;
    if (permit === undefined || step >= permit.until || version(chunk) !== step) return false;
    if (!reducer.isFinite()) return false;
    const { recorded } = permit;
    fresh = fresh.filter((facts) => facts.step !== step || facts.chunk !== chunk);
    permitted.applied(step, chunk, recorded, apply(permittedOrder(plan, permit, step), chunk));
    return true;
  }

  function keepReports(step: number, told: readonly ShardReport[]) {
    const permit = attempt?.permit;
    // Where a step took an order, the coordinator had all reports of it.
    const known = permit !== undefined && step < permit.until + 2 ? permit.known : step - 1;
    reports.forget(known);
    reports.keep(step, told);
  }

  function factsOf(step: number, chunk: number, reducer: Reducer): SumFacts {
    const finite = reducer.isFinite();
    const squares = clips ? { squares: reducer.squares(layout.trainedBlocks(chunk)) } : {};
    return { step, chunk, finite, ...squares };
  }

  /** Chunks that become complete together are told together; nothing waits once the last one is. */
  function completed(step: number, chunk: number, reducer: Reducer) {
    if (applyPermitted(step, chunk, reducer)) return;
    fresh.push(factsOf(step, chunk, reducer));
    if (complete.add(step)) return tellFresh();
    if (telling) return;
    telling = true;
    defer(tellFresh);
  }

  function tellFresh() {
    telling = false;
    if (attempt === undefined || fresh.length === 0) return;
    const { id, coordinator } = attempt;
    for (let from = 0; from < fresh.length; from += MOST_SUMS_AT_ONCE) {
      const sums = fresh.slice(from, from + MOST_SUMS_AT_ONCE);
      send(coordinator, { type: 'gathered', attempt: id, sums });
    }
    fresh = [];
  }

  /** What the sums of a step lack. */
  function missingOf(step: number): number[] {
    const missing = new Set<number>();
    for (const chunk of chunks) {
      if (version(chunk) !== step) continue;
      const reducer = reducers.get(keyOf(step, chunk))?.reducer;
      const lacks = reducer?.missing() ?? Array.from({ length: shards }, (_, shard) => shard);
      for (const shard of lacks) missing.add(shard);
    }
    return [...missing].sort((a, b) => a - b);
  }

  function tellStanding({ id, coordinator }: Attempt) {
    const versions = chunks.map(version);
    const step = Math.min(...versions, plan.steps);
    const standing = { versions, step, missing: missingOf(step), heard: [...heard] };
    heard = new Set();
    // All that is complete is among them.
    fresh = [...reducers.values()].flatMap(({ step: of, chunk, reducer }) =>
      reducer.sum() === undefined ? [] : [factsOf(of, chunk, reducer)],
    );
    tellFresh();
    for (const known of reports.all())
      send(coordinator, { type: 'gathered', attempt: id, sums: [], reports: known });
    send(coordinator, { type: 'gathered', attempt: id, sums: [], standing });
  }

  /** Those who were too early contribute again. */
  function askAgain({ id, workers }: Attempt) {
    for (const [peer, who] of unheard) {
      if (who.attempt !== id || !workers.has(who.session)) continue;
      unheard.delete(peer);
      send(peer, { type: 'repeat', attempt: id });
    }
  }

  const isAdmitted = (session: string, of: string) =>
    attempt !== undefined && attempt.id === of && attempt.workers.has(session);

  function offer(session: string, { step, lo, hi, chunk }: Contribution, payload: Uint8Array) {
    const reducer = reducerOf(step, chunk);
    let came: Offer;
    const since = timeline.now();
    try {
      came = reducer.offer(lo, hi, landing.take(payload) ?? payload);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      came = 'no-node';
    }
    timeline.passed('sum', since, step, chunk);
    if (came === 'no-node') return misfit(session, { step, lo, hi, chunk }, payload);
    if (came === 'complete') completed(step, chunk, reducer);
  }

  function misfit(
    worker: string,
    contribution: Pick<Contribution, 'step' | 'lo' | 'hi' | 'chunk'>,
    { byteLength: bytes }: Uint8Array,
  ) {
    const { coordinator } = attempt!;
    send(coordinator, { type: 'misfit', worker, contribution, bytes });
  }

  return {
    gather(coordinator, { attempt: id, workers }) {
      if (attempt?.id !== id) {
        release();
        attempt = { id, coordinator, workers: new Set(workers), closed: new Map() };
      }
      attempt.coordinator = coordinator;
      attempt.workers = new Set(workers);
      tellStanding(attempt);
      askAgain(attempt);
    },
    permit(message) {
      if (attempt === undefined || attempt.id !== message.attempt) return;
      attempt.permit = message;
      reports.forget(message.known);
      for (const { step, chunk, reducer } of [...reducers.values()])
        if (reducer.sum() !== undefined) applyPermitted(step, chunk, reducer);
    },
    permits: (step) => step < (attempt?.permit?.until ?? 0),
    landing: ({ attempt: of, step, chunk }, session, bytes) =>
      held.has(chunk) &&
      bytes === 4 * layout.chunkLength(chunk) &&
      isAdmitted(session, of) &&
      isWanted(step, chunk)
        ? landing.place(layout.chunkLength(chunk))
        : undefined,
    contribute(peer, session, contribution, payload) {
      const { attempt: of, step, lo, hi, chunk } = contribution;
      if (!isAdmitted(session, of)) return void unheard.set(peer, { attempt: of, session });
      heard.add(session);
      if (!held.has(chunk)) return misfit(session, { step, lo, hi, chunk }, payload);
      // Before it is applied.
      if (contribution.reports !== undefined) keepReports(step, contribution.reports);
      if (isWanted(step, chunk)) return offer(session, contribution, payload);
      // Whoever says what cannot be is wrong, even if nobody needs it any more.
      const fits = packed || payload.byteLength === 4 * layout.chunkLength(chunk);
      if (!fits || pathTo(lo, hi, shards) === undefined)
        misfit(session, { step, lo, hi, chunk }, payload);
    },
    sum: (step, chunk) => reducers.get(keyOf(step, chunk))?.reducer.sum(),
    applied(step, chunk) {
      attempt?.closed.set(chunk, step);
      // The one before may have been made again for another server that holds the same.
      for (const key of [keyOf(step - 1, chunk), keyOf(step, chunk)]) {
        reducers.get(key)?.reducer.release();
        reducers.delete(key);
      }
    },
    forget: (peer) => void unheard.delete(peer),
    stop() {
      release();
      attempt = undefined;
      unheard.clear();
    },
  };
}
