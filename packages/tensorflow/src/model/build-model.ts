import { programError, type Random, TuttiError } from '@tutti/runtime';
import type { tf } from '../tf.js';
import { withRandom } from '../training/seeded.js';
import type { LayerLike, ModelLike } from './layers-internals.js';
import { nameWeights } from './weight-names.js';

/** Builds a new model at every call, synchronously. */
export type LayersModelFactory = () => tf.LayersModel;

/**
 * Builds the model with every random initializer drawing from `random`.
 * @throws TuttiError BAD_PROGRAM for what cannot be trained exactly, naming the weight or layer;
 *   PROGRAM_FAILED for what the factory throws
 */
export function buildModel(factory: LayersModelFactory, random: Random): ModelLike {
  const model = withRandom(random, () => built(factory)) as unknown as ModelLike;
  if (model === null || typeof model !== 'object' || !Array.isArray(model.layers))
    throw bad(
      '`model` did not return a tf.LayersModel',
      'Return tf.sequential(...) or tf.model(...), built and synchronous (no promise).',
    );
  if (model.layers.length === 0 || model.outputs === undefined || model.outputs.length === 0)
    throw bad(
      '`model` returned a model that is not built',
      'Give its first layer an `inputShape`.',
    );
  if (model.outputs.length > 1)
    throw bad(
      `The model has ${model.outputs.length} outputs`,
      'Join them to one, or write the model as a function over named parameters.',
    );
  for (const [variable, name] of nameWeights(model)) {
    if (variable.dtype !== 'float32')
      throw bad(`Weight "${name}" is ${variable.dtype}`, 'Only float32 weights can be trained.');
    if (variable.constraint !== null && variable.constraint !== undefined)
      throw bad(
        `Weight "${name}" has a constraint`,
        'The optimizer knows no constraints: use weightDecay, or normalise inside the model.',
      );
  }
  const stateful = allLayers(model).find((layer) => layer.layers === undefined && layer.stateful);
  if (stateful !== undefined)
    throw bad(
      `Layer "${stateful.name}" is stateful: its result depends on the batch before`,
      'Leave `stateful` out.',
    );
  return model;
}

function built(factory: LayersModelFactory): tf.LayersModel {
  try {
    return factory();
  } catch (thrown) {
    throw programError(thrown, 'model()');
  }
}

/** The last layer, if it is nothing but a softmax over the last axis behind its other maths. */
export function finalSoftmax(model: ModelLike): LayerLike | undefined {
  const last = model.outputs[0]?.sourceLayer;
  if (last === undefined || last.inboundNodes.length !== 1) return undefined;
  if (!['Dense', 'Activation'].includes(last.getClassName())) return undefined;
  return last.activation?.getClassName() === 'softmax' ? last : undefined;
}

/** The layers of a model and of the models in it. */
export function allLayers(model: LayerLike): LayerLike[] {
  return (model.layers ?? []).flatMap((layer) => [layer, ...allLayers(layer)]);
}

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}
