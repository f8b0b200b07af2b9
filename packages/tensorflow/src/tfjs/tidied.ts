import { tf } from '../tf.js';

/** `tf.tidy` for results that hold no tensors: it would look for one in every element of an array. */
export function tidied<T>(task: () => T): T {
  let result: T | undefined;
  tf.tidy(() => {
    result = task();
  });
  return result as T;
}

/** Frees what a gradient that was broken off by an error had saved for its way back. */
export function dropTape(): void {
  const state = tf.engine().state as unknown as {
    gradientDepth: number;
    activeTape: { readonly saved?: readonly tf.Tensor[] }[] | null;
  };
  if (state.gradientDepth > 0 || !Array.isArray(state.activeTape)) return;
  for (const { saved = [] } of state.activeTape) for (const tensor of saved) tensor.dispose();
  state.activeTape = null;
}
