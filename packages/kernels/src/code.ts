import { readFileSync } from 'node:fs';
import { TuttiError, toTuttiError } from '@tutti/runtime';

/**
 * What assembly/ exports. Pointers and lengths are 32-bit; scalars are rounded to float32. What makes
 * values returns the largest magnitude among them, as `maxAbs` does.
 */
export interface Code {
  add(target: number, left: number, right: number, length: number): number;
  maxAbs(values: number, length: number): number;
  sumOfSquares(values: number, length: number): number;
  divide(target: number, sum: number, length: number, divisor: number): number;
  decay(target: number, weights: number, length: number, weightDecay: number): void;
  limit(target: number, length: number, scale: number, clipValue: number): void;
  round(values: number, length: number, format: number, key: number, position: number): void;
  pack(values: number, length: number, target: number): number;
  unpack(source: number, bytes: number, target: number, length: number): number;
  sgd: UpdateCode;
  momentum: UpdateCode;
  nesterov: UpdateCode;
  adagrad: UpdateCode;
  rmsprop: UpdateCode;
  rmspropCentered: UpdateCode;
  adam: UpdateCode;
  adamw: UpdateCode;
  adadelta: UpdateCode;
  adamax: UpdateCode;
}

/** (target, weights, gradient, ...slots, length, factor of the gradient, ...constants of the rule). */
export type UpdateCode = (...numbers: number[]) => number;

/**
 * Memory below this belongs to the code: tail cells at 1 KiB, a group to
 * round or pack at 2 KiB, the gradient tile at 8 KiB.
 *
 * Half a page off a page: large buffers of Node start 16 bytes into one, and a processor takes a
 * read for one of what was just written if both lie so far into their pages (4 KiB aliasing). That
 * made copies out of the kernels three times slower.
 */
export const HEAP_START = 65_536 + 2_048;
export const TILE = 8_192;
/** Elements; 8 KiB, so that a tile stays in the first-level cache between two passes. */
export const TILE_LENGTH = 2_048;

/** The same file seen from src/ and from dist/, so that tests need no copy of it. */
const location = new URL('../dist/kernels.wasm', import.meta.url);

/** Compiled once a process: compiling takes longer than a small run. */
let compiled: WebAssembly.Module | undefined;

export function loadCode(memory: WebAssembly.Memory): Code {
  try {
    compiled ??= new WebAssembly.Module(read());
    const instance = new WebAssembly.Instance(compiled, { env: { memory } });
    return instance.exports as unknown as Code;
  } catch (cause) {
    if (cause instanceof TuttiError) throw cause;
    throw new TuttiError('INTERNAL', `The compiled kernels at ${location.pathname} do not load`, {
      remedy: 'They need WebAssembly SIMD, which every Node.js from 16 on has; build them anew.',
      cause,
    });
  }
}

function read(): Uint8Array<ArrayBuffer> {
  try {
    return readFileSync(location);
  } catch (cause) {
    throw toTuttiError(
      cause,
      'INTERNAL',
      `The compiled kernels are missing at ${location.pathname}`,
      'Build them with: npm run build --workspace @tutti/kernels',
    );
  }
}
