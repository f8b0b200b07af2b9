/**
 * A range that is no multiple of four elements ends in up to three elements, which are copied into
 * 16-byte cells and go through the same vector code as all others: so the bits of an element do
 * not depend on where in a range it stands. The cells lie below the heap, which starts at 64 KiB.
 */
export const CELL_WEIGHTS: usize = 1024;
export const CELL_GRADIENT: usize = 1040;
export const CELL_SLOT0: usize = 1056;
export const CELL_SLOT1: usize = 1072;
export const CELL_SLOT2: usize = 1088;

/** Room for a group of 256 elements. */
export const SCRATCH: usize = 2048;

/** Bytes of the whole vectors in a range of `length` elements. */
// @ts-ignore: decorator
@inline
export function wholeBytes(length: usize): usize {
  return (length >> 2) << 4;
}

/** Bytes of the elements after them. */
// @ts-ignore: decorator
@inline
export function restBytes(length: usize): usize {
  return (length & 3) << 2;
}
