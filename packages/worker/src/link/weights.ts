import { pageAlignedFloats } from '@tutti/kernels';
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
  /** Begins to collect a version, with what has come of it early. What came of earlier ones is forgotten. */
  expect(version: number): void;
  /** Forgets what came early. */
  clear(): void;
  /** Where a chunk of so many bytes may be read to; undefined if `accept` would not take it. */
  place(version: number, chunk: number, bytes: number): Uint8Array | undefined;
  /**
   * Takes one chunk. What lies in its place is not copied; what comes early, while an earlier version
   * is awaited, is; what is late is ignored.
   */
  accept(version: number, chunk: number, payload: Uint8Array): void;
  /** Whether all of the expected version has come, and `turn` would make it the current one. */
  arrived(): boolean;
  /** The expected version, which has arrived, becomes the current one. */
  turn(): void;
  /** Chunks of the expected version that have not come. */
  missing(): number[];
  /**
   * The first version, from the expected one on, of which not all of these chunks have come; Infinity of
   * no chunks: a small model leaves servers without any.
   */
  firstMissing(firstChunk: number, chunks: number): number;
}

export function createWeightBuffer(layout: Layout): WeightBuffer {
  const create = () => {
    const flat = pageAlignedFloats(layout.floats);
    return { flat, bytes: new Uint8Array(flat.buffer), values: layout.views(flat) };
  };
  let [current, next] = [create(), create()];
  let [version, expected] = [-1, -1];
  let arrived = new Set<number>();
  /** By version, what came before it was expected: servers send no more unasked than fits into memory. */
  const early = new Map<number, Map<number, Uint8Array>>();
  const all = Array.from({ length: layout.chunks }, (_, chunk) => chunk);
  const bytesOf = (chunk: number) => (chunk < layout.chunks ? 4 * layout.chunkLength(chunk) : -1);
  const isWanted = (at: number, chunk: number) =>
    at === expected && version !== expected && !arrived.has(chunk);

  function placeOf(chunk: number): Uint8Array {
    const from = 4 * chunk * layout.chunkFloats;
    return next.bytes.subarray(from, from + bytesOf(chunk));
  }

  function take(chunk: number, payload: Uint8Array) {
    const place = placeOf(chunk);
    const lies = payload.buffer === place.buffer && payload.byteOffset === place.byteOffset;
    if (!lies) place.set(payload);
    arrived.add(chunk);
  }

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
      for (const [chunk, bytes] of early.get(wanted) ?? []) take(chunk, bytes);
      for (const at of early.keys()) if (at <= wanted) early.delete(at);
    },
    clear: () => early.clear(),
    place: (at, chunk, bytes) =>
      isWanted(at, chunk) && bytes === bytesOf(chunk) ? placeOf(chunk) : undefined,
    accept(at, chunk, payload) {
      if (at <= expected && !isWanted(at, chunk)) return;
      if (payload.byteLength !== bytesOf(chunk))
        throw new TuttiError(
          'BAD_FRAME',
          `Chunk ${chunk} of version ${at} came with ${payload.byteLength} bytes, not ${bytesOf(chunk)}`,
          { remedy: 'Check that server and worker run the same version of Tutti.' },
        );
      if (at === expected) return take(chunk, payload);
      const chunks = early.get(at) ?? new Map<number, Uint8Array>();
      chunks.set(chunk, payload.slice());
      early.set(at, chunks);
    },
    missing: () => (version === expected ? [] : all.filter((chunk) => !arrived.has(chunk))),
    firstMissing(firstChunk, chunks) {
      const range = all.slice(firstChunk, firstChunk + chunks);
      if (range.length === 0) return Number.POSITIVE_INFINITY;
      const isWhole = (at: number) => {
        const come = at === expected ? arrived : early.get(at);
        return range.every((chunk) => come?.has(chunk));
      };
      let first = expected;
      while (isWhole(first)) first++;
      return first;
    },
  };
}
