import type { Layout } from '@tutti/parameters';
import { TuttiError } from '@tutti/runtime';
import type { ParameterValues } from '../program/program.js';

/**
 * Two versions of the flat vector of stored parameters: the one that is computed on, and the next
 * one as its chunks come in, also while the current one is in use.
 */
export interface WeightBuffer {
  /** The version to compute on; -1 before the first. */
  version(): number;
  /** Named views of it. */
  values(): ParameterValues;
  /** Begins to collect a version. What arrived of another one is forgotten. */
  expect(version: number): void;
  /** Takes one chunk; those of other versions are ignored. */
  accept(version: number, chunk: number, payload: Uint8Array): void;
  /** Whether all of the expected version has come, and `turn` would make it the current one. */
  arrived(): boolean;
  /** The expected version, which has arrived, becomes the current one. */
  turn(): void;
  /** Chunks of the expected version that have not come. */
  missing(): number[];
}

export function createWeightBuffer(layout: Layout): WeightBuffer {
  const create = () => {
    const flat = new Float32Array(layout.floats);
    return { flat, bytes: new Uint8Array(flat.buffer), values: layout.views(flat) };
  };
  let [current, next] = [create(), create()];
  let [version, expected] = [-1, -1];
  let arrived = new Set<number>();
  const all = Array.from({ length: layout.chunks }, (_, chunk) => chunk);

  return {
    version: () => version,
    values: () => current.values,
    arrived: () => arrived.size === layout.chunks,
    turn() {
      [current, next] = [next, current];
      version = expected;
      arrived = new Set();
    },
    expect(wanted) {
      expected = wanted;
      arrived = new Set();
    },
    accept(of, chunk, payload) {
      if (of !== expected || version === expected || arrived.has(chunk)) return;
      const floats = chunk < layout.chunks ? layout.chunkLength(chunk) : -1;
      if (payload.byteLength !== 4 * floats)
        throw new TuttiError(
          'BAD_FRAME',
          `Chunk ${chunk} of version ${of} came with ${payload.byteLength} bytes, not ${4 * floats}`,
          { remedy: 'Check that server and worker run the same version of Tutti.' },
        );
      next.bytes.set(payload, 4 * chunk * layout.chunkFloats);
      arrived.add(chunk);
    },
    missing: () => (version === expected ? [] : all.filter((chunk) => !arrived.has(chunk))),
  };
}
