import { createRandom, programError, type Random, TuttiError } from '@tutti/runtime';
import { registeredVariables } from '../registered-variables.js';
import { checkBackend, type tf } from '../tf.js';
import type { LayerLike, LayerVariable, ModelLike } from '../tfjs/layers-internals.js';
import { withRandom } from '../tfjs/seeded.js';
import { ambiguousKind, type IsGiven, nameWeights } from './weight-names.js';

/** Builds a model at every call, synchronously. */
export type LayersModelFactory = () => tf.LayersModel;

/** A model that was built, and what its parts are called everywhere. */
export interface BuiltModel {
  readonly model: ModelLike;
  readonly weights: ReadonlyMap<LayerVariable, string>;
  readonly isGiven: IsGiven;
  /** Frees the weights that were made for it, not those that it has from other models. */
  dispose(): void;
}

/**
 * Builds the model with every random initializer drawing from `random`.
 * @throws TuttiError BAD_PROGRAM for what cannot be trained exactly, naming the weight or layer;
 *   PROGRAM_FAILED for what the factory throws, and on another backend
 */
export function buildModel(factory: LayersModelFactory, random: Random): BuiltModel {
  checkBackend();
  const before = new Set(registeredVariables());
  const dispose = () => {
    for (const variable of made) if (!variable.isDisposed) variable.dispose();
  };
  let made: tf.Variable[] = [];
  try {
    const model = withRandom(random, () => built(factory)) as unknown as ModelLike;
    made = registeredVariables().filter((variable) => !before.has(variable));
    const isGiven = givenNames(factory, model);
    const weights = checkModel(model, isGiven);
    return { model, weights, isGiven, dispose };
  } catch (error) {
    made = registeredVariables().filter((variable) => !before.has(variable));
    dispose();
    throw error;
  }
}

function checkModel(model: ModelLike, isGiven: IsGiven): ReadonlyMap<LayerVariable, string> {
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
  const weights = nameWeights(model, isGiven);
  for (const [variable, name] of weights) {
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
  for (const layer of allParts(model)) {
    const { dilationRate } = layer as { readonly dilationRate?: readonly number[] };
    if (UNDILATED.has(layer.getClassName()) && dilationRate?.some((rate) => rate !== 1))
      throw bad(
        `Layer "${layer.name}" (${layer.getClassName()}) has the dilationRate [${dilationRate.join(', ')}], which tfjs passes over`,
        'Leave it out.',
      );
  }
  const separable = allParts(model).find(addsBiasElsewhere);
  if (separable !== undefined)
    throw bad(
      `Layer "${separable.name}" (SeparableConv2D) has its channels first, and tfjs adds its bias along another dimension`,
      'Leave `dataFormat` out, with the channels last, or give it useBias: false.',
    );
  return weights;
}

function addsBiasElsewhere(layer: LayerLike): boolean {
  const { dataFormat, useBias } = layer as {
    readonly dataFormat?: string;
    readonly useBias?: boolean;
  };
  return (
    layer.getClassName() === 'SeparableConv2D' && dataFormat === 'channelsFirst' && useBias === true
  );
}

/** They take a `dilationRate`, and compute as if it were 1. */
const UNDILATED: ReadonlySet<string> = new Set([
  'DepthwiseConv2D',
  'Conv2DTranspose',
  'Conv3DTranspose',
]);

function built(factory: LayersModelFactory): tf.LayersModel {
  try {
    return factory();
  } catch (thrown) {
    throw programError(thrown, 'model()');
  }
}

/**
 * tfjs counts the models and inputs that it names, so a name that is the same when the model is built
 * once more was given.
 */
function givenNames(factory: LayersModelFactory, model: ModelLike): IsGiven {
  let given: ReadonlySet<LayerLike> | undefined;
  const find = () => {
    const before = new Set(registeredVariables());
    try {
      const again = withRandom(createRandom('names'), () => built(factory));
      const others = withModels(again as unknown as ModelLike);
      return new Set(withModels(model).filter(({ name }, at) => others[at]?.name === name));
    } finally {
      for (const variable of registeredVariables()) if (!before.has(variable)) variable.dispose();
    }
  };
  return (layer) => {
    if (ambiguousKind(layer) === undefined) return false;
    given ??= find();
    return given.has(layer);
  };
}

function withModels(model: LayerLike): LayerLike[] {
  return [model, ...allLayers(model)];
}

/**
 * The last layer of an output, if it is nothing but a softmax over the last axis behind its other
 * maths, and no other layer reads it.
 */
export function finalSoftmax(model: ModelLike, at: number): LayerLike | undefined {
  const last = model.outputs[at]?.sourceLayer;
  if (last === undefined || usesOf(last, model) !== 1) return undefined;
  // Other models may read it, too.
  if (model.outputs.length > 1 && last.outboundNodes.length > 0) return undefined;
  if (!['Dense', 'Activation'].includes(last.getClassName())) return undefined;
  return last.activation?.getClassName() === 'softmax' ? last : undefined;
}

/** How often a model calls a layer; other models may call it, too. */
export function usesOf(layer: LayerLike, model: ModelLike): number {
  const { name, inboundNodes } = layer;
  const { containerNodes, layers } = model;
  // A sequential model calls what it lists, and knows no calls before it is built.
  if (model.getClassName() === 'Sequential') return layers.filter((each) => each === layer).length;
  return inboundNodes.filter((_node, at) => containerNodes.has(`${name}_ib-${at}`)).length;
}

/** The layers of a model and of the models in it. */
export function allLayers(model: LayerLike): LayerLike[] {
  return (model.layers ?? []).flatMap((layer) => [layer, ...allLayers(layer)]);
}

/** All layers, also those that others hold: wrapped ones and cells. */
export function allParts(layer: LayerLike): LayerLike[] {
  const { layers = [], layer: wrapped, forwardLayer, backwardLayer, cell } = layer;
  const parts = [...layers, wrapped, forwardLayer, backwardLayer, cell, ...(cell?.cells ?? [])];
  return parts.flatMap((part) => (part === undefined ? [] : [part, ...allParts(part)]));
}

function bad(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}
