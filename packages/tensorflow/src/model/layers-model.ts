import type { WeightSpec } from '@tutti/parameters';
import { createRandom, type Random, TuttiError } from '@tutti/runtime';
import { wasAssigned } from '../assigned-variables.js';
import { repeatsOf } from '../sharing/repeats.js';
import { tf } from '../tf.js';
import type { BatchTensors } from '../tfjs/batch-tensors.js';
import type { Activation, LayerLike, LayerVariable, ModelLike } from '../tfjs/layers-internals.js';
import { LAYERS, withoutState } from '../tfjs/outside-state.js';
import { type Override, overriding } from '../tfjs/overrides.js';
import { tidied } from '../tfjs/tidied.js';
import {
  allParts,
  type BuiltModel,
  buildModel,
  finalSoftmax,
  type LayersModelFactory,
} from './build-model.js';
import { mendComparingLayers } from './comparing-layers.js';
import type { DifferentiableModel, ForwardContext, ReadWeight } from './differentiable-model.js';
import { mendDilatedConvolutions } from './dilated-convolutions.js';
import { takeNoise } from './dropout.js';
import { factorLayers } from './factored-layers.js';
import { mendNormalizations } from './normalizations.js';
import { watchMasks } from './output-masks.js';
import { unsteadyPart } from './own-layers.js';
import { unfuseConvolutions } from './unfused-convolutions.js';
import { firstFree, frozenWeights, nameLayers } from './weight-names.js';

/**
 * A `tf.LayersModel` as a function of its weights: inside `forward`, `LayerVariable.read` of every
 * weight gives the tensor of the current call, and `write` (the moving moments of batch
 * normalisation) is reported to the context instead of kept.
 */
export function layersModel(factory: LayersModelFactory): DifferentiableModel {
  const built = buildModel(factory, createRandom('structure'));
  const { model } = built;
  const variables = [...built.weights.keys()];
  const weights = weightSpecs(built);
  const places = new Map(variables.map((variable, at) => [variable, at]));
  const fields = inputFields(built);
  const outputs = outputNames(built);
  const softmax = outputs.map((_, at) => finalSoftmax(model, at));
  const masks = watchMasks(model);
  const unsteady = unsteadyPart(tf, model);
  const penalised = penalisedParts(model);

  let call:
    | {
        readonly weight: ReadWeight;
        /** Values that the model has written in this call. */
        readonly written: Map<number, tf.Tensor>;
        readonly context: ForwardContext;
      }
    | undefined;
  const read = (at: number) => call!.written.get(at) ?? call!.weight(at);
  function write(at: number, value: tf.Tensor): LayerVariable {
    const variable = variables[at]!;
    if (!call!.context.training || weights[at]!.update !== 'average')
      throw new TuttiError(
        'PROGRAM_FAILED',
        `The model assigns its weight "${weights[at]!.name}" itself`,
        { remedy: 'Only non-trainable weights can be assigned, and only while training.' },
      );
    call!.written.set(at, value);
    call!.context.write(at, value);
    return variable;
  }
  const factored = factorLayers(model, (variable) => call?.context.factored(places.get(variable)!));
  const overrides: Override[] = [
    ...variables.flatMap((target, at) => [
      { target, property: 'read', value: () => read(at) },
      { target, property: 'write', value: (value: tf.Tensor) => write(at, value) },
    ]),
    ...unfuseConvolutions(model),
    // After it, so that theirs is in effect.
    ...mendDilatedConvolutions(model),
    ...mendComparingLayers(model),
    ...mendNormalizations(model),
    ...factored.overrides,
    ...takeNoise(model, (shape) => call?.context.noise(shape)),
    ...masks.overrides,
  ];
  const withLogits = (wanted: readonly boolean[]): Override[] =>
    softmax.flatMap((target, at) =>
      wanted[at] && target ? [{ target, property: 'activation', value: identity }] : [],
    );

  return {
    weights,
    roles: variables.map((variable) => factored.roles.get(variable) ?? 'other'),
    repeats: repeatsOf(model, variables),
    outputs,
    softmax: softmax.map((layer) => layer !== undefined),
    unsteady,
    initialize: (random) => tidied(() => initialValues(factory, built, random)),
    forward(weight, batch, context) {
      const inputs = fields.map((field, at) => inputOf(batch, field, model.inputs[at]!.shape));
      const inPlace = [...overrides, ...withLogits(context.logits)];
      call = { weight, written: new Map(), context };
      try {
        return withoutState('The model', LAYERS, () =>
          overriding(inPlace, () => {
            const given = model.apply(inputs.length === 1 ? inputs[0]! : inputs, {
              training: context.training,
            });
            return {
              outputs: Array.isArray(given) ? given : [given],
              masks: masks.take(),
              penalties: penalised.flatMap((part) => part.calculateLosses()),
            };
          }),
        );
      } finally {
        call = undefined;
      }
    },
    dispose: built.dispose,
  };
}

/** The weights of a model, in the order of their names. */
export function weightSpecs({ model, weights }: BuiltModel): WeightSpec[] {
  const trained = new Set(model.trainableWeights);
  const frozen = frozenWeights(model);
  return [...weights].map(([variable, name]) => {
    const still = frozen.has(variable) ? 'frozen' : 'average';
    const update = trained.has(variable) ? 'gradient' : still;
    return { name, shape: [...variable.shape], update };
  });
}

/** Those of a model that is built anew; of weights that it has from other models, what they are. */
export function initialValues(
  factory: LayersModelFactory,
  { weights }: BuiltModel,
  random: Random,
): Float32Array[] {
  const fresh = buildModel(factory, random);
  try {
    const describe = ([{ shape }, name]: readonly [LayerVariable, string]) =>
      `${name} [${shape.join(', ')}]`;
    const expected = [...weights].map(describe).join('; ');
    const found = [...fresh.weights].map(describe).join('; ');
    if (expected !== found)
      throw new TuttiError(
        'BAD_PROGRAM',
        `\`model\` built different models: first ${expected}; then ${found}`,
        { remedy: 'Let it build the same layers at every call.' },
      );
    return [...fresh.weights].map(([variable, name]) => {
      if (weights.has(variable) && !wasAssigned(variable.val))
        throw new TuttiError(
          'BAD_PROGRAM',
          `Weight "${name}" was made outside of \`model\`, with values that every process draws for itself`,
          {
            remedy:
              'Make its layer inside the function, anew at every call; only what was loaded (tf.loadLayersModel) or set (setWeights) may come from outside.',
          },
        );
      // The plain JavaScript backend gives its own memory, so a copy.
      return Float32Array.from(variable.read().dataSync());
    });
  } finally {
    fresh.dispose();
  }
}

/** The field of the batch for each input: "x" for a single one, else the input's name. */
function inputFields({ model, isGiven }: BuiltModel): string[] {
  if (model.inputs.length === 1) return ['x'];
  const stable = nameLayers(model, isGiven);
  return model.inputs.map(({ sourceLayer }) => stable.get(sourceLayer) ?? sourceLayer.name);
}

/** What the outputs are called: as their layers, the same at every build. */
function outputNames({ model, isGiven }: BuiltModel): string[] {
  const stable = nameLayers(model, isGiven);
  const taken = new Set<string>();
  return model.outputs.map(({ sourceLayer }) => {
    const own = stable.get(sourceLayer) ?? sourceLayer.name;
    const name = taken.has(own) ? firstFree(own, taken) : own;
    taken.add(name);
    return name;
  });
}

function inputOf(
  batch: BatchTensors,
  field: string,
  wanted: readonly (number | null)[],
): tf.Tensor {
  const tensor = batch[field];
  if (tensor === undefined) {
    const given = Object.keys(batch).map((name) => `"${name}"`);
    throw new TuttiError(
      'PROGRAM_FAILED',
      `The model reads the field "${field}", but the dataset gives ${given.join(', ')}`,
      {
        remedy: 'Call the fields of the dataset as the inputs of the model ("x" for a single one).',
      },
    );
  }
  const { shape } = tensor;
  const fits = wanted.every((extent, at) => at === 0 || extent === null || extent === shape[at]);
  if (fits && shape.length === wanted.length) return tensor;
  throw new TuttiError(
    'PROGRAM_FAILED',
    `The model reads "${field}" as ${ofExample(wanted)}, but an example of the dataset is ${ofExample(shape)}`,
    { remedy: `Give the model inputShape: ${ofExample(shape)}, or the dataset another shape.` },
  );
}

/** The shape of one example, as in `inputShape`. */
function ofExample([, ...shape]: readonly (number | null)[]): string {
  return `[${shape.map(String).join(', ')}]`;
}

/**
 * What has weights of its own that are trained, each once, as in Keras 3. `calculateLosses` of a tfjs model leaves
 * out cells, both directions of Bidirectional and sequential models within, counts a layer at each of its calls,
 * and adds what frozen ones would pay.
 */
function penalisedParts(model: ModelLike): LayerLike[] {
  const frozen = frozenWeights(model);
  return [...new Set(allParts(model))].filter(({ layers, layer, _trainableWeights: own = [] }) => {
    const still = own.length > 0 && own.every((each) => frozen.has(each));
    return layers === undefined && layer === undefined && !still;
  });
}

/** Not called "linear": tfjs would fuse that. */
const identity: Activation = { apply: (tensor) => tensor, getClassName: () => 'identity' };
