import { tf } from '../tf.js';
import type { ModelLike } from '../tfjs/layers-internals.js';
import type { Override } from '../tfjs/overrides.js';
import { usesOf } from './build-model.js';

/** What the layers of a model find to count of each output, as they are called. */
export interface OutputMasks {
  readonly overrides: readonly Override[];
  /** Those of the last call, as float32, by output; the caller disposes of them. */
  take(): (tf.Tensor | undefined)[];
}

/** A layer that a model calls several times has none: nobody can tell which mask is whose. */
export function watchMasks(model: ModelLike): OutputMasks {
  const found = new Map<object, tf.Tensor>();
  const layers = new Set(model.outputs.map(({ sourceLayer }) => sourceLayer));
  const overrides = [...layers]
    .filter((layer) => usesOf(layer, model) === 1)
    .map((layer): Override => {
      const original = layer.computeMask.bind(layer);
      return {
        target: layer,
        property: 'computeMask',
        value(...given: Parameters<typeof original>) {
          const mask = original(...given);
          const sole = Array.isArray(mask) ? mask[0] : mask;
          if (sole != null) found.set(layer, tf.keep(sole.cast('float32')));
          return mask;
        },
      };
    });
  return {
    overrides,
    take() {
      const masks = model.outputs.map(({ sourceLayer }) => found.get(sourceLayer));
      found.clear();
      return masks;
    },
  };
}
