import { TuttiError } from '@tutti/runtime';
import { tf } from '../tf.js';
import type { LayerLike, ModelLike } from '../tfjs/layers-internals.js';
import type { Override } from '../tfjs/overrides.js';
import { allLayers, allParts, usesOf } from './build-model.js';
import { ownMask } from './comparing-layers.js';

/** What the layers of a model find to count of each output, as they are called. */
export interface OutputMasks {
  /** @throws TuttiError BAD_PROGRAM while the model is called, if a layer is given a mask that is none of its input */
  readonly overrides: readonly Override[];
  /** Those of the last call, as float32, by output; the caller disposes of them. */
  take(): (tf.Tensor | undefined)[];
}

/** A layer that a model calls several times has none: nobody can tell which mask is whose. */
export function watchMasks(model: ModelLike): OutputMasks {
  const found = new Map<object, tf.Tensor>();
  const watched = new Set(
    model.outputs
      .map(({ sourceLayer }) => sourceLayer)
      .filter((layer) => usesOf(layer, model) === 1),
  );
  // Each tensor is one call's, so that nothing has to be forgotten.
  const masks = new WeakMap<object, tf.Tensor>();
  const overrides = [...new Set(allLayers(model))].flatMap((layer): Override[] => {
    const apply = layer.apply.bind(layer);
    const own = ownMask(layer);
    const computeMask: LayerLike['computeMask'] =
      own === undefined
        ? layer.computeMask.bind(layer)
        : (inputs) => own([inputs].flat()[0] as tf.Tensor);
    const reads = maskReader(layer);
    let outputs: readonly unknown[] = [];
    return [
      {
        target: layer,
        property: 'apply',
        value(...given: Parameters<typeof apply>) {
          const [inputs, kwargs] = given;
          const [input] = [inputs].flat() as [tf.Tensor];
          const mask = masks.get(input);
          if (reads) checkMask(layer, input, mask, kwargs?.mask ?? undefined);
          const results = apply(...given);
          // tfjs leaves it there for the layers after this one, which then refuse to have one of their own.
          if (kwargs !== undefined) delete kwargs.initialState;
          outputs = [results].flat();
          const passes = mask !== undefined && PASSING.has(layer.getClassName());
          if (passes) masks.set(results as tf.Tensor, mask);
          return results;
        },
      },
      {
        target: layer,
        property: 'computeMask',
        value(...given: Parameters<typeof computeMask>) {
          const mask = computeMask(...given);
          const sole = Array.isArray(mask) ? mask[0] : mask;
          // Without masks of its inputs, tfjs asks from within `apply`.
          if (sole != null && given[1] !== undefined)
            for (const output of outputs) masks.set(output as tf.Tensor, sole);
          if (sole != null && watched.has(layer)) {
            found.get(layer)?.dispose();
            found.set(layer, tf.keep(sole.cast('float32')));
          }
          return mask;
        },
      },
    ];
  });
  return {
    overrides,
    take() {
      const taken = model.outputs.map(({ sourceLayer }) => found.get(sourceLayer));
      found.clear();
      return taken;
    },
  };
}

/** Layers of tfjs that let go of a mask, though each place of their result is of the same place of their input. */
const PASSING: ReadonlySet<string> = new Set(['ELU', 'LeakyReLU', 'ThresholdedReLU']);

/** Whether a layer computes something else where it is given a mask. */
function maskReader(layer: LayerLike): boolean {
  if (layer.layers !== undefined) return false;
  return [layer, ...allParts(layer)].some(
    (part) => part.cell !== undefined || part.getClassName() === 'Softmax',
  );
}

/**
 * tfjs hands the mask that it met last on to all layers that come after, whether or not it is one of
 * their inputs; merging layers make masks of another shape, and TimeDistributed passes all steps on.
 */
function checkMask(
  layer: LayerLike,
  input: tf.Tensor,
  own: tf.Tensor | undefined,
  given: tf.Tensor | undefined,
): void {
  if (given === undefined) return;
  const who = `Layer "${layer.name}" (${layer.getClassName()})`;
  const remedy =
    'Put tf.layers.masking({ maskValue }) right before it, with a number that does not occur, so that all counts; or leave out `maskZero` and masking layers.';
  if (own !== given)
    throw new TuttiError(
      'BAD_PROGRAM',
      `${who} is given the mask of other values than it reads: its input has none, and tfjs hands on the last one`,
      { remedy },
    );
  const fits = given.rank === 2 && given.shape.every((extent, at) => extent === input.shape[at]);
  const stepwise = layer.getClassName() === 'TimeDistributed';
  if (fits && !stepwise && layer.getClassName() !== 'Softmax') return;
  const shapes = `[${given.shape.join(', ')}] for values [${input.shape.join(', ')}]`;
  throw new TuttiError(
    'BAD_PROGRAM',
    stepwise
      ? `${who} hands the mask of its steps on to what it does at each of them`
      : `${who} is given the mask ${shapes}, which tfjs does not apply as it is meant`,
    { remedy },
  );
}
