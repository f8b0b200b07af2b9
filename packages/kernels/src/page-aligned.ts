import { MAXIMUM_PAGES, PAGE } from './heap.js';

/**
 * Zeros that start on a page, as WebAssembly memory does; an ordinary large ArrayBuffer starts 16 bytes into one.
 * TensorFlow reads in place what starts at a multiple of 64 bytes, and copies the rest. Less than a page, which
 * is copied in no time, is ordinary memory, and so is more than WebAssembly has.
 */
export function pageAlignedFloats(length: number): Float32Array<ArrayBuffer> {
  const pages = Math.ceil((4 * length) / PAGE);
  if (4 * length < PAGE || pages > MAXIMUM_PAGES) return new Float32Array(length);
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return new Float32Array(buffer, 0, length);
}
