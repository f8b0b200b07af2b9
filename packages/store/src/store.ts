import type { Block, Kernels } from '@tutti/kernels';
import { TuttiError } from '@tutti/runtime';
import type { Optimizer } from './optimizer.js';
import { checkSegments, type StoreSegment } from './segments.js';

export interface StoreInit {
  readonly kernels: Kernels;
  readonly optimizer: Optimizer;
  /** The number of the first chunk held here; the others follow it. */
  readonly firstChunk: number;
  /** Floats of each chunk held here. */
  readonly chunkLengths: readonly number[];
  /** The segments of each chunk held here. */
  readonly segments: readonly (readonly StoreSegment[])[];
}

/**
 * The chunks of one server: weights at a version each, with the optimizer's slots.
 *
 * Memory: two versions of the weights, the slots, and two chunks of scratch. All errors that are
 * not named are INTERNAL: a chunk that is not held here, bytes of a wrong length, a step that does
 * not follow.
 */
export interface Store {
  /**
   * Gives a chunk its first weights (a copy; floats, or their bytes at any alignment) and its slots
   * their first values.
   */
  initialize(chunk: number, values: Float32Array | Uint8Array, version?: number): void;
  /**
   * Makes version `step + 1` of the chunk out of version `step` and the gradient summed over
   * `count` examples (float32 bytes, any alignment; a block of the same kernels is not copied).
   * 'already' if the chunk is at version `step + 1` or later: nothing happens then.
   * Errors: NOT_FINITE before the weights are touched, if the sum is not finite; and if the new
   * weights are not, which leaves the slots of this chunk unusable.
   */
  apply(
    step: number,
    chunk: number,
    sum: Uint8Array | Block,
    count: number,
    scale: number,
  ): 'applied' | 'already';
  /**
   * The weights at the current or the previous version, undefined for any other. Not a copy: they
   * stay as they are until `recycle` was called for their version, and must not be written to.
   */
  read(chunk: number, version: number): Uint8Array | undefined;
  /**
   * Nobody uses bytes of this version or older any more, nor will: new versions may be written
   * over them. The current version of a chunk is never given up.
   */
  recycle(version: number): void;
  /** The current version of a chunk; undefined before it has weights. */
  version(chunk: number): number | undefined;
  /** Copies of the optimizer's slots, for checkpoints. */
  slots(chunk: number): Float32Array[];
  /** Puts a chunk, whatever it holds, into the state of a checkpoint. */
  restore(
    chunk: number,
    version: number,
    weights: Float32Array | Uint8Array,
    slots: readonly Float32Array[],
  ): void;
  /** Gives the memory of the kernels back. The bytes that `read` gave stay. */
  free(): void;
}

interface Held {
  readonly length: number;
  readonly segments: readonly StoreSegment[];
  version: number;
  current: Uint8Array;
  /** Weights of version - 1. */
  previous: Uint8Array | undefined;
  /** Memory of a version that nobody uses any more. */
  spare: Uint8Array | undefined;
  readonly slots: readonly Block[];
}

export function createStore(init: StoreInit): Store {
  const { kernels, optimizer, firstChunk, chunkLengths } = init;
  const held: (Held | undefined)[] = chunkLengths.map(() => undefined);
  /** Where updates happen: for each length of chunk, one block of weights and one of sums. */
  const scratch = new Map<number, { weights: Block; sum: Block }>();
  chunkLengths.forEach((length, index) => {
    checkSegments(firstChunk + index, length, init.segments[index] ?? []);
  });

  function indexOf(chunk: number): number {
    const index = chunk - firstChunk;
    if (Number.isInteger(index) && index >= 0 && index < held.length) return index;
    const last = firstChunk + held.length - 1;
    throw fault(`Chunk ${chunk} is not held here; chunks ${firstChunk} to ${last} are.`);
  }

  function find(chunk: number): Held {
    const found = held[indexOf(chunk)];
    if (found !== undefined) return found;
    throw fault(`Chunk ${chunk} has no weights yet.`);
  }

  function scratchOf(length: number): { weights: Block; sum: Block } {
    let blocks = scratch.get(length);
    if (blocks === undefined) {
      blocks = { weights: kernels.allocate(length), sum: kernels.allocate(length) };
      scratch.set(length, blocks);
    }
    return blocks;
  }

  function place(
    chunk: number,
    version: number,
    weights: Float32Array | Uint8Array,
    fillSlot: (block: Block, index: number) => void,
  ): void {
    const index = indexOf(chunk);
    const length = chunkLengths[index]!;
    if (weights.byteLength !== length * 4) {
      throw fault(`Chunk ${chunk} has ${length * 4} bytes, but was given ${weights.byteLength}.`);
    }
    if (!Number.isSafeInteger(version) || version < 0) {
      throw fault(`Chunk ${chunk} was given version ${version}.`);
    }
    const current = Buffer.allocUnsafeSlow(length * 4);
    current.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength));
    const slots =
      held[index]?.slots ?? Array.from({ length: optimizer.slots }, () => kernels.allocate(length));
    slots.forEach(fillSlot);
    const segments = init.segments[index]!;
    const empty = { previous: undefined, spare: undefined };
    held[index] = { length, segments, version, current, slots, ...empty };
  }

  return {
    initialize(chunk, values, version = 0) {
      const known = held[indexOf(chunk)];
      if (known !== undefined) {
        throw fault(`Chunk ${chunk} was initialized already and is at version ${known.version}.`);
      }
      place(chunk, version, values, (block, index) => {
        block.values.fill(optimizer.initialSlot(index));
      });
    },

    apply(step, chunk, given, count, scale) {
      const state = find(chunk);
      if (state.version > step) return 'already';
      if (state.version < step) {
        throw fault(`Step ${step} came for chunk ${chunk}, which is at version ${state.version}.`);
      }
      if (!(count > 0) || !(scale >= 0)) {
        throw fault(`Step ${step}, chunk ${chunk}: ${count} examples at scale ${scale}.`);
      }
      const blocks = scratchOf(state.length);
      const sum = given instanceof Uint8Array ? blocks.sum : given;
      if (given instanceof Uint8Array) {
        if (given.length !== state.length * 4) {
          throw fault(`Chunk ${chunk} has ${state.length * 4} bytes, the sum ${given.length}.`);
        }
        sum.bytes.set(given);
      }
      requireFinite(kernels.maxAbs(sum), 'summed gradient', step, chunk);
      const { weights } = blocks;
      weights.bytes.set(state.current);
      for (const { start, length, update, decay } of state.segments) {
        const average = update === 'average';
        kernels.update(
          average ? ADD_MEAN : optimizer.rule(step, decay),
          average ? meanOf(count) : optimizer.conditioning(count, scale, decay),
          weights,
          sum,
          average ? [] : state.slots,
          start,
          length,
        );
      }
      requireFinite(kernels.maxAbs(weights), 'weights after the update', step, chunk);
      const next = state.spare ?? Buffer.allocUnsafeSlow(state.length * 4);
      next.set(weights.bytes);
      state.spare = undefined;
      state.previous = state.current;
      state.current = next;
      state.version = step + 1;
      return 'applied';
    },

    read(chunk, version) {
      const state = find(chunk);
      if (version === state.version) return state.current;
      return version === state.version - 1 ? state.previous : undefined;
    },

    recycle(version) {
      for (const state of held) {
        if (state?.previous === undefined || state.version - 1 > version) continue;
        state.spare = state.previous;
        state.previous = undefined;
      }
    },

    version: (chunk) => held[indexOf(chunk)]?.version,

    slots: (chunk) => find(chunk).slots.map((block) => block.values.slice()),

    restore(chunk, version, weights, slots) {
      const length = chunkLengths[indexOf(chunk)]!;
      if (slots.length !== optimizer.slots || slots.some((slot) => slot.length !== length)) {
        const lengths = slots.map((slot) => slot.length).join(', ');
        throw fault(
          `Chunk ${chunk} needs ${optimizer.slots} slots of ${length} floats, but was given [${lengths}].`,
        );
      }
      place(chunk, version, weights, (block, index) => block.values.set(slots[index]!));
    },

    free() {
      for (const state of held) for (const block of state?.slots ?? []) kernels.free(block);
      for (const { weights, sum } of scratch.values()) {
        kernels.free(weights);
        kernels.free(sum);
      }
      held.fill(undefined);
      scratch.clear();
    },
  };
}

/** w - (-1 * g) is w + g, and the conditioning below makes g no more than sum / count. */
const ADD_MEAN = { kind: 'sgd', learningRate: -1 } as const;

function meanOf(count: number) {
  return { divisor: count, weightDecay: 0, scale: 1, clipValue: Number.POSITIVE_INFINITY };
}

function requireFinite(maxAbs: number, what: string, step: number, chunk: number): void {
  if (Number.isFinite(maxAbs)) return;
  throw new TuttiError('NOT_FINITE', `Step ${step}: the ${what} of chunk ${chunk} has ${maxAbs}.`, {
    remedy:
      'Lower the learning rate, clip gradients (clipNorm), or look for a loss that overflows.',
    details: { step, chunk, what },
  });
}

function fault(message: string): TuttiError {
  return new TuttiError('INTERNAL', message, {
    remedy: 'This is a fault in Tutti; the stack shows where.',
  });
}
