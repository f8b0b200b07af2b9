import { TuttiError } from '@tutti/runtime';
import { HEAP_START } from './code.js';
import type { Block } from './contract.js';

export const PAGE = 65_536;
/** A line of the cache; and see `alignedMemory` of the transport, which some reads into blocks need too. */
const ALIGNMENT = 64;
/** 4 GiB, the most that WebAssembly has. */
export const MAXIMUM_PAGES = 65_536;
/** 64 MiB. */
const MAXIMUM_STRIDE = 1_024;

/** Blocks by the views that were given out of them. */
const blocks = new WeakMap<Uint8Array, HeapBlock>();

/** A block that knows where it lies; only the heap makes one. */
export class HeapBlock implements Block {
  readonly length: number;
  readonly #memory: WebAssembly.Memory;
  #address: number;
  #values: Float32Array | undefined;
  #bytes: Uint8Array | undefined;

  constructor(memory: WebAssembly.Memory, address: number, length: number) {
    this.#memory = memory;
    this.#address = address;
    this.length = length;
  }

  /** Bytes from the start of the memory. Throws once the block was freed. */
  get address(): number {
    if (this.#address < 0) {
      throw new TuttiError('INTERNAL', `A block of ${this.length} floats was used after free.`, {
        remedy: 'This is a fault in Tutti; the stack shows where.',
      });
    }
    return this.#address;
  }

  get values(): Float32Array {
    const buffer = this.#memory.buffer;
    if (this.#values?.buffer === buffer) return this.#values;
    this.#values = new Float32Array(buffer, this.address, this.length);
    return this.#values;
  }

  get bytes(): Uint8Array {
    const buffer = this.#memory.buffer;
    if (this.#bytes?.buffer === buffer) return this.#bytes;
    this.#bytes = new Uint8Array(buffer, this.address, this.length * 4);
    blocks.set(this.#bytes, this);
    return this.#bytes;
  }

  /** Whether it lies in this memory, and was not freed. */
  isAliveIn(memory: WebAssembly.Memory): boolean {
    return this.#memory === memory && this.#address >= 0;
  }

  /** Ends the life of the block and returns its address. */
  retire(): number {
    const address = this.address;
    this.#address = -1;
    this.#values = undefined;
    this.#bytes = undefined;
    return address;
  }
}

export interface Heap {
  allocate(length: number): HeapBlock;
  free(block: HeapBlock): void;
  owns(block: Block): block is HeapBlock;
  blockOf(bytes: Uint8Array): HeapBlock | undefined;
}

/**
 * Blocks are of few sizes (chunks and the last chunk), so a freed block waits in the list of its
 * size for the next request of that size; nothing is split or merged.
 */
export function createHeap(memory: WebAssembly.Memory): Heap {
  const freeBySize = new Map<number, number[]>();
  let top = HEAP_START;

  function grow(end: number): void {
    const size = memory.buffer.byteLength;
    if (end <= size) return;
    const needed = Math.ceil((end - size) / PAGE);
    // Growing costs V8 a garbage collection, so it happens in strides; untouched pages cost nothing.
    const stride = Math.min(Math.ceil(size / PAGE), MAXIMUM_STRIDE, MAXIMUM_PAGES - size / PAGE);
    try {
      memory.grow(Math.max(needed, stride));
    } catch (cause) {
      const mebibytes = Math.ceil(end / 2 ** 20);
      throw new TuttiError(
        'INTERNAL',
        `The memory of the kernels cannot grow to ${mebibytes} MiB (4,096 MiB is the most that WebAssembly has).`,
        {
          remedy: 'Spread the parameters over more servers, or give the process more memory.',
          cause,
        },
      );
    }
  }

  function sizeOf(length: number): number {
    return Math.max(ALIGNMENT, Math.ceil((length * 4) / ALIGNMENT) * ALIGNMENT);
  }

  return {
    allocate(length) {
      if (!Number.isSafeInteger(length) || length < 0) {
        throw new TuttiError('INTERNAL', `A block of ${length} floats was asked for.`, {
          remedy: 'Lengths are whole numbers from 0.',
        });
      }
      const size = sizeOf(length);
      let address = freeBySize.get(size)?.pop();
      if (address === undefined) {
        grow(top + size);
        address = top;
        top += size;
      }
      return new HeapBlock(memory, address, length);
    },
    free(block) {
      const address = block.retire();
      const size = sizeOf(block.length);
      const list = freeBySize.get(size);
      if (list === undefined) freeBySize.set(size, [address]);
      else list.push(address);
    },
    owns(block): block is HeapBlock {
      return block instanceof HeapBlock && block.isAliveIn(memory);
    },
    blockOf(bytes) {
      const block = blocks.get(bytes);
      return block?.isAliveIn(memory) === true ? block : undefined;
    },
  };
}
