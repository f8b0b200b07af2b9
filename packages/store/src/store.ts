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
 * Memory: two versions of the weights, the slots, and a chunk to read sums into. All errors that are
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
   * `count` examples: one pass, which writes the new weights where those of version `step - 1` were.
   * The sum is a block of the same kernels or its bytes; other float32 bytes are copied first.
   * `rate` is a factor of the learning rate, 1 if not given.
   * 'already' if the chunk is at version `step + 1` or later: nothing happens then.
   * Errors: NOT_FINITE if the sum is not finite, or the new weights are not: the chunk stays at
   * version `step` with its weights, but its slots are unusable.
   */
  apply(
    step: number,
    chunk: number,
    sum: Uint8Array | Block,
    count: number,
    scale: number,
    rate?: number,
  ): 'applied' | 'already';
  /** Where the sum of a step of this chunk may be read into: the bytes that `apply` does not copy. */
  landing(chunk: number): Uint8Array;
  /**
   * The weights at the current or the previous version, undefined for any other. Not a copy: valid
   * until something else is done with the store, and not to be written to.
   */
  read(chunk: number, version: number): Uint8Array | undefined;
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
  /** Gives the memory of the kernels back. */
  free(): void;
}

interface Held {
  readonly length: number;
  readonly segments: readonly StoreSegment[];
  version: number;
  current: Block;
  /** Weights of version - 1, once there was one; those of version + 1 are written over them. */
  other: Block | undefined;
  /** Whether `other` has version - 1. */
  hasPrevious: boolean;
  readonly slots: readonly Block[];
}

export function createStore(init: StoreInit): Store {
  const { kernels, optimizer, firstChunk, chunkLengths } = init;
  const held: (Held | undefined)[] = chunkLengths.map(() => undefined);
  /** Where sums come in: one block for each length of chunk. */
  const landings = new Map<number, Block>();
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

  function landingOf(length: number): Block {
    let block = landings.get(length);
    if (block === undefined) {
      block = kernels.allocate(length);
      landings.set(length, block);
    }
    return block;
  }

  function sumBlock(chunk: number, length: number, given: Uint8Array | Block): Block {
    if (!(given instanceof Uint8Array)) return given;
    const known = kernels.blockOf(given);
    if (known !== undefined) return known;
    if (given.length !== length * 4) {
      throw fault(`Chunk ${chunk} has ${length * 4} bytes, the sum ${given.length}.`);
    }
    const block = landingOf(length);
    block.bytes.set(given);
    return block;
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
    const { current = kernels.allocate(length), other } = held[index] ?? {};
    current.bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength));
    const slots =
      held[index]?.slots ?? Array.from({ length: optimizer.slots }, () => kernels.allocate(length));
    slots.forEach(fillSlot);
    const segments = init.segments[index]!;
    held[index] = { length, segments, version, current, other, hasPrevious: false, slots };
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

    apply(step, chunk, given, count, scale, rate) {
      const state = find(chunk);
      if (state.version > step) return 'already';
      if (state.version < step) {
        throw fault(`Step ${step} came for chunk ${chunk}, which is at version ${state.version}.`);
      }
      if (!(count > 0) || !(scale >= 0)) {
        throw fault(`Step ${step}, chunk ${chunk}: ${count} examples at scale ${scale}.`);
      }
      const sum = sumBlock(chunk, state.length, given);
      state.other ??= kernels.allocate(state.length);
      const { current: weights, other: next, slots } = state;
      // From here on it is no version that anybody could be given.
      state.hasPrevious = false;
      let largest = 0;
      for (const { start, length, update, decay } of state.segments) {
        const average = update === 'average';
        const most = kernels.update(
          average ? ADD_MEAN : optimizer.rule(step, decay, rate),
          average ? meanOf(count) : optimizer.conditioning(count, scale, decay),
          weights,
          sum,
          average ? [] : slots,
          start,
          length,
          next,
        );
        largest = Math.max(largest, most);
      }
      if (!Number.isFinite(largest)) {
        requireFinite(kernels.maxAbs(sum), 'summed gradients', step, chunk);
        requireFinite(largest, 'weights after the update', step, chunk);
      }
      state.other = weights;
      state.current = next;
      state.hasPrevious = true;
      state.version = step + 1;
      return 'applied';
    },

    landing: (chunk) => landingOf(chunkLengths[indexOf(chunk)]!).bytes,

    read(chunk, version) {
      const state = find(chunk);
      if (version === state.version) return state.current.bytes;
      return version === state.version - 1 && state.hasPrevious ? state.other?.bytes : undefined;
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
      for (const state of held) {
        if (state === undefined) continue;
        const { current, other, slots } = state;
        for (const block of [current, ...slots]) kernels.free(block);
        if (other !== undefined) kernels.free(other);
      }
      for (const block of landings.values()) kernels.free(block);
      held.fill(undefined);
      landings.clear();
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
  const message = `Step ${step}: ${maxAbs} is among the ${what} of chunk ${chunk}`;
  throw new TuttiError('NOT_FINITE', message, {
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
