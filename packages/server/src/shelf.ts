import type { Kernels } from '@tutti/kernels';
import { type Layout, layoutOf } from '@tutti/parameters';
import {
  type Advance,
  type Advanced,
  type Apply,
  type Capture,
  digestOfBytes,
  type Enclosed,
  type JobPlan,
  type Restore,
  type ServerToCoordinator,
  type ServerToWorker,
  type StepOrder,
} from '@tutti/protocol';
import { type Timeline, TuttiError } from '@tutti/runtime';
import { createOptimizer, createStore } from '@tutti/store';
import { type Aggregator, createAggregator } from './aggregator.js';
import { createCaptures } from './captures.js';
import { createStandingOrders } from './standing-orders.js';
import { MOST_CHUNKS } from './tunables.js';
import { createWeightCopies } from './weight-copies.js';

/**
 * What a server holds of one job, and who waits for it. It decides which messages to send, and
 * knows nothing of how they travel.
 */
export interface Shelf {
  readonly plan: JobPlan;
  /** The version of each chunk; -1 for one without values. */
  versions(): number[];
  store(chunk: number, values: Uint8Array): void;
  /** Gives a chunk that has no values the state of a checkpoint. */
  restore(message: Restore, payload: Uint8Array): void;
  /**
   * Sends the state of every chunk at the version asked for, which must be the current one: one by
   * one in between other work, and each at the latest before the next step changes it.
   */
  capture(peer: string, message: Capture): void;
  /** Where the sum of a chunk may be read to; undefined if it is not held, or has another length. */
  landing(chunk: number, bytes: number): Uint8Array | undefined;
  /** Returns whether the chunk is at the version after that step, now or since earlier. */
  apply(message: Apply, sum: Uint8Array): boolean;
  /** Makes the sums of its chunks itself, once it is told to. */
  readonly aggregator: Aggregator;
  /**
   * Applies sums that were made here. Undefined if a chunk has no values.
   * @throws TuttiError INTERNAL if a sum is not complete
   */
  advance(message: Advance): Advanced | undefined;
  /**
   * Sends every chunk at `version`: those there are now, the others as they come; then those of the
   * next versions, up to `until`.
   */
  pull(peer: string, version: number, until?: number): void;
  /** The peer is gone. */
  forget(peer: string): void;
  /** Gives its memory back. */
  release(): void;
}

export function createShelf(init: {
  readonly plan: JobPlan;
  readonly firstChunk: number;
  readonly chunks: number;
  readonly kernels: Kernels;
  readonly timeline: Timeline;
  readonly send: (
    peer: string,
    body: ServerToWorker | ServerToCoordinator,
    rest?: Enclosed,
  ) => void;
  readonly broadcast: (peers: readonly string[], body: ServerToWorker, rest: Enclosed) => void;
  /** Has something done a moment later, after what is waiting to be handled. */
  readonly defer: (task: () => void) => void;
}): Shelf {
  const { plan, firstChunk, chunks, kernels, timeline, send, broadcast, defer } = init;
  const layout = layoutOf(plan);
  checkRange(layout, firstChunk, chunks);
  const optimizer = createOptimizer(plan.optimizer);
  const store = createStore({ kernels, optimizer, ...layout.range(firstChunk, chunks) });
  const captures = createCaptures({ store, send, defer });
  const copies = createWeightCopies();
  const all = Array.from({ length: chunks }, (_, at) => firstChunk + at);
  const versionOf = (chunk: number) => store.version(chunk) ?? -1;
  const orders = createStandingOrders({
    chunks: all,
    version: versionOf,
    has: (chunk, version) => store.read(chunk, version) !== undefined,
    ship(peers, version, chunk) {
      if (peers.length === 0) return;
      const weights = store.read(chunk, version)!;
      const lent = () => copies.make(version, weights);
      const since = timeline.now();
      const unhurried = aggregator.permits(version + 1) ? { unhurried: true } : {};
      broadcast(
        peers,
        { type: 'weights', version, chunk, ...unhurried },
        { payload: weights, lent },
      );
      timeline.passed('send', since, version - 1, chunk);
    },
  });

  const aggregator: Aggregator = createAggregator({
    ...{ plan, layout, kernels, timeline, send, defer },
    chunks: all,
    version: versionOf,
    apply: advanceChunk,
  });

  /** Returns the digest of the sum if that is wanted, '' if it was applied earlier. */
  function advanceChunk({ step, count, scale, rate, recorded }: StepOrder, chunk: number): string {
    let digest = '';
    if (versionOf(chunk) <= step) {
      const sum = aggregator.sum(step, chunk);
      if (sum === undefined) throw noSum(step, chunk);
      captures.beforeStep(step, chunk);
      const since = timeline.now();
      store.apply(step, chunk, sum, count, scale, rate);
      timeline.passed('update', since, step, chunk);
      orders.serve(chunk);
      // Once the new weights are on their way.
      if (recorded) digest = digestOfBytes(sum.bytes);
    }
    aggregator.applied(step, chunk);
    return digest;
  }

  /** The step from it is under way: whoever comes late may be needed to compute what is missing of it. */
  const lowest = () => Math.min(...all.map((chunk) => store.version(chunk)!));

  return {
    plan,
    versions: () => all.map(versionOf),
    store(chunk, values) {
      // A second time after a coordinator that was lost in the middle of it.
      if (store.version(chunk) !== undefined) return;
      store.initialize(chunk, values);
      orders.serve(chunk);
    },
    restore({ chunk, version }, payload) {
      if (store.version(chunk) !== undefined) return;
      const length = layout.chunkLength(chunk);
      if (payload.byteLength !== 4 * length * (1 + optimizer.slots))
        throw new TuttiError(
          'REFUSED',
          `Chunk ${chunk} was to be restored from ${payload.byteLength} bytes instead of ${1 + optimizer.slots} times ${4 * length}`,
          { remedy: 'Check that all processes run the same version of Tutti.' },
        );
      // A copy: floats need an alignment that a frame may not have.
      const floats = new Float32Array(new Uint8Array(payload).buffer);
      const part = (at: number) => floats.subarray(at * length, (at + 1) * length);
      const slots = Array.from({ length: optimizer.slots }, (_, at) => part(1 + at));
      store.restore(chunk, version, part(0), slots);
      orders.serve(chunk);
    },
    capture(peer, { version, slots }) {
      if (all.every((chunk) => store.version(chunk) === version))
        captures.begin(peer, version, slots, all);
    },
    landing(chunk, bytes) {
      const held = chunk >= firstChunk && chunk < firstChunk + chunks;
      return held && bytes === 4 * layout.chunkLength(chunk) ? store.landing(chunk) : undefined;
    },
    apply({ step, chunk, count, scale, rate }, sum) {
      // One that comes back without its values may be sent this before its answer has told of that.
      if (store.version(chunk) === undefined) return false;
      captures.beforeStep(step, chunk);
      const since = timeline.now();
      const outcome = store.apply(step, chunk, sum, count, scale, rate);
      timeline.passed('update', since, step, chunk);
      if (outcome === 'applied') orders.serve(chunk);
      return true;
    },
    aggregator,
    advance(message) {
      const { step, chunks: wanted, recorded } = message;
      if (wanted.some((chunk) => versionOf(chunk) < 0)) return undefined;
      const digests = wanted.map((chunk) => advanceChunk(message, chunk));
      return { type: 'advanced', step, chunks: wanted, ...(recorded && { digests }) };
    },
    pull(peer, version, until = version) {
      const there = orders.place(peer, version, until);
      // Who works orders as many versions at a time: whoever is this far behind may not order again for long.
      const past = version - (until - version) - 4;
      copies.leave(past);
      // What may still be queued for a peer that is gone reaches nobody who would be listened to.
      copies.recycle(orders.lowest(past) - 2);
      if (there) return;
      const gone = all.find((chunk) => versionOf(chunk) > version) ?? firstChunk;
      throw versionGone(gone, version, lowest());
    },
    forget(peer) {
      orders.forget(peer);
      captures.forget(peer);
      aggregator.forget(peer);
    },
    release() {
      captures.clear();
      aggregator.stop();
      store.free();
    },
  };
}

/** Before anything is allocated for it. @throws TuttiError REFUSED */
function checkRange({ chunks: all }: Layout, firstChunk: number, chunks: number): void {
  if (chunks <= MOST_CHUNKS && firstChunk + chunks <= all) return;
  throw new TuttiError(
    'REFUSED',
    `Chunks ${firstChunk} to ${firstChunk + chunks - 1} were to be held here, but the plan has ${all}, and a server holds ${MOST_CHUNKS} at most`,
    { remedy: 'Check that all processes run the same version of Tutti; more servers hold more.' },
  );
}

function noSum(step: number, chunk: number): TuttiError {
  return new TuttiError(
    'INTERNAL',
    `Step ${step} of chunk ${chunk} was to be applied, and its sum is not complete here`,
    { remedy: 'This is a fault in Tutti; the stack shows where.', details: { step, chunk } },
  );
}

function versionGone(chunk: number, version: number, current: number): TuttiError {
  return new TuttiError(
    'REFUSED',
    `Version ${version} of chunk ${chunk} was asked for, but the server is at version ${current}`,
    { remedy: 'Ask for that version.', details: { chunk, version, current } },
  );
}
