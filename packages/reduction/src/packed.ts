import type { Block, Kernels } from '@tutti/kernels';

/**
 * What travels of a sum where gradients are compressed: every bit of it, in fewer bytes where there
 * are some, else as it is. The same values always give the same bytes.
 * @returns bytes that are valid until the next call
 */
export function packedBytes(kernels: Kernels, values: Block): Uint8Array {
  const packed = kernels.pack(values);
  return packed.byteLength < values.bytes.byteLength ? packed : values.bytes;
}

/** @throws RangeError if the bytes are not those of so many elements */
export function unpackedBlock(kernels: Kernels, bytes: Uint8Array, length: number): Block {
  const block = kernels.allocate(length);
  if (bytes.byteLength === 4 * length) {
    block.bytes.set(bytes);
    return block;
  }
  try {
    kernels.unpack(bytes, block);
  } catch (error) {
    kernels.free(block);
    throw error;
  }
  return block;
}
