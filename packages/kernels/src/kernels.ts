import { TuttiError } from '@tutti/runtime';
import { loadCode } from './code.js';
import { type Block, GROUP, type Kernels, type Rounding } from './contract.js';
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

  /** Holds what is packed; it grows to the largest. */
  let room: HeapBlock | undefined;
  function packedRoom(bytes: number): HeapBlock {
    const floats = Math.ceil(bytes / 4);
    if (room !== undefined && room.length >= floats) return room;
    if (room !== undefined) heap.free(room);
    room = heap.allocate(floats);
    return room;
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
    round(rounding, block, position, start = 0, length = block.length - start) {
      checkRange(block, start, length);
      if (start % GROUP !== 0) throw fault(`Rounding begins at ${start}, within a group.`);
      const address = own(block, 'values').address + start * 4;
      const key = rounding.to === 'int8' ? rounding.key : 0;
      code.round(address, length, FORMATS[rounding.to], key, position);
    },
    pack(block) {
      const { address, length } = own(block, 'values');
      const target = packedRoom(Math.ceil(length / GROUP) * MOST_BYTES);
      return target.bytes.subarray(0, code.pack(address, length, target.address));
    },
    unpack(packed, block) {
      const { address, length } = own(block, 'target');
      const most = 4 * Math.ceil((Math.ceil(length / GROUP) * MOST_BYTES) / 4);
      const { byteLength } = packed;
      if (byteLength > most)
        throw new RangeError(`${byteLength} bytes hold more than ${length} packed elements`);
      const source = packedRoom(most);
      source.bytes.set(packed);
      if (code.unpack(source.address, byteLength, address, length) === 0)
        throw new RangeError(`${byteLength} bytes are not ${length} packed elements`);
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

const FORMATS: Readonly<Record<Rounding['to'], number>> = { bf16: 0, fp16: 1, int8: 2 };

/** Bytes of a packed group: format, exponent and all bits. */
const MOST_BYTES = 2 + 4 * GROUP;

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
