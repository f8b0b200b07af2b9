import { TuttiError } from '@tutti/runtime';
import { loadCode } from './code.js';
import type { Block, Kernels } from './contract.js';
import { createHeap, type HeapBlock, MAXIMUM_PAGES } from './heap.js';
import { runUpdate } from './update.js';

/**
 * Kernels with a memory of their own (WebAssembly SIMD). A block can only be used with the kernels
 * that allocated it. Errors: INTERNAL for foreign or freed blocks, differing lengths, ranges out of
 * bounds, and a memory that cannot grow.
 */
export function createKernels(): Kernels {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES });
  const code = loadCode(memory);
  const heap = createHeap(memory);

  function own(block: Block, role: string): HeapBlock {
    if (heap.owns(block)) return block;
    throw fault(`The block given as ${role} was freed or belongs to other kernels.`);
  }

  function addressOf(block: Block, role: string, length: number): number {
    const known = own(block, role);
    if (known.length !== length) {
      throw fault(`The block given as ${role} has ${known.length} floats, the first ${length}.`);
    }
    return known.address;
  }

  return {
    allocate: (length) => heap.allocate(length),
    free: (block) => heap.free(own(block, 'the one to free')),
    blockOf: (bytes) => heap.blockOf(bytes),
    add(target, left, right) {
      const { length } = target;
      return code.add(
        addressOf(target, 'target', length),
        addressOf(left, 'left', length),
        addressOf(right, 'right', length),
        length,
      );
    },
    maxAbs(block, start = 0, length = block.length - start) {
      checkRange(block, start, length);
      return code.maxAbs(own(block, 'values').address + start * 4, length);
    },
    sumOfSquares(block, start = 0, length = block.length - start) {
      checkRange(block, start, length);
      return code.sumOfSquares(own(block, 'values').address + start * 4, length);
    },
    update(rule, conditioning, weights, sum, slots, start, length, target = weights) {
      checkRange(weights, start, length);
      const total = weights.length;
      const offset = start * 4;
      return runUpdate(code, rule, conditioning, {
        target: addressOf(target, 'target', total) + offset,
        weights: addressOf(weights, 'weights', total) + offset,
        sum: addressOf(sum, 'sum', total) + offset,
        slots: slots.map((slot, index) => addressOf(slot, `slot ${index}`, total) + offset),
        length,
      });
    },
  };
}

function checkRange(block: Block, start: number, length: number): void {
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(length);
  if (whole && start >= 0 && length >= 0 && start + length <= block.length) return;
  throw fault(`${length} floats from ${start} do not lie in a block of ${block.length}.`);
}

function fault(message: string): TuttiError {
  return new TuttiError('INTERNAL', message, {
    remedy: 'This is a fault in Tutti; the stack shows where.',
  });
}
