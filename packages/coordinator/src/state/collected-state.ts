import type { Layout } from '@tutti/parameters';

/** The state of a whole job at one version, as it comes from the servers chunk by chunk. */
export interface CollectedState {
  readonly version: number;
  readonly flat: Float32Array;
  /** The optimizer's state, each as long as `flat`. */
  readonly slots: readonly Float32Array[];
  /** Chunks that have not come. */
  readonly missing: ReadonlySet<number>;
  /** Takes the weights of a chunk, followed by its slots; copies them. Later ones are ignored. */
  take(chunk: number, payload: Uint8Array): void;
}

/** @param slots how many the optimizer has, 0 to leave them out */
export function createCollectedState(
  layout: Layout,
  slots: number,
  version: number,
): CollectedState {
  const vectors = Array.from({ length: 1 + slots }, () => new Float32Array(layout.floats));
  const [flat, ...states] = vectors as [Float32Array, ...Float32Array[]];
  const missing = new Set(Array.from({ length: layout.chunks }, (_, chunk) => chunk));
  return {
    version,
    flat,
    slots: states,
    missing,
    take(chunk, payload) {
      if (!missing.delete(chunk)) return;
      const bytes = 4 * layout.chunkLength(chunk);
      for (const [at, vector] of vectors.entries())
        new Uint8Array(vector.buffer).set(
          payload.subarray(at * bytes, (at + 1) * bytes),
          4 * chunk * layout.chunkFloats,
        );
    },
  };
}

/** The payload that puts one chunk back: its weights, followed by its slots. */
export function chunkState(
  layout: Layout,
  chunk: number,
  { flat, slots }: Pick<CollectedState, 'flat' | 'slots'>,
): Uint8Array {
  const length = layout.chunkLength(chunk);
  const from = chunk * layout.chunkFloats;
  const payload = new Float32Array((1 + slots.length) * length);
  for (const [at, vector] of [flat, ...slots].entries())
    payload.set(vector.subarray(from, from + length), at * length);
  return new Uint8Array(payload.buffer);
}
