import type { WeightSpec } from '@tutti/parameters';
import { createRandom, type Random, TuttiError } from '@tutti/runtime';
import { unsteadyPart } from '../graph/own-layers.js';
import { tf } from '../tf.js';
import type { BatchTensors } from '../training/batch-tensors.js';
import { tidied } from '../training/tidied.js';
import { buildModel, finalSoftmax, type LayersModelFactory } from './build-model.js';
import type { DifferentiableModel, ForwardContext, ReadWeight } from './differentiable-model.js';
import { takeNoise } from './dropout.js';
import type { Activation, LayerLike, ModelLike } from './layers-internals.js';
import { unfuseConvolutions } from './unfused-convolutions.js';
import { nameLayers, nameWeights } from './weight-names.js';

/**
 * A `tf.LayersModel` as a function of its weights: inside `forward`, `LayerVariable.read` of every
 * weight gives the tensor of the current call, and `write` (the moving moments of batch
 * normalisation) is reported to the context instead of kept.
 */
export function layersModel(factory: LayersModelFactory): DifferentiableModel {
  const model = buildModel(factory, createRandom('structure'));
  const names = nameWeights(model);
  const trained = new Set(model.trainableWeights);
  const weights = [...names].map(([variable, name]): WeightSpec => {
    const update = trained.has(variable) ? 'gradient' : 'average';
    return { name, shape: [...variable.shape], update };
  });
  const fields = inputFields(model);
  const softmax = finalSoftmax(model);
  const unsteady = unsteadyPart(tf, model);
  unfuseConvolutions(model);
  takeNoise(model, (shape) => call?.context.noise(shape));

  let call:
    | {
        readonly weight: ReadWeight;
        /** Values that the model has written in this call. */
        readonly written: Map<number, tf.Tensor>;
        readonly context: ForwardContext;
      }
    | undefined;
  [...names.keys()].forEach((variable, at) => {
    const read = variable.read.bind(variable);
    variable.read = () => (call === undefined ? read() : (call.written.get(at) ?? call.weight(at)));
    variable.write = (value) => {
      if (call === undefined || !call.context.training || trained.has(variable))
        throw new TuttiError(
          'PROGRAM_FAILED',
          `The model assigns its weight "${weights[at]!.name}" itself`,
          { remedy: 'Only non-trainable weights can be assigned, and only while training.' },
        );
      call.written.set(at, value);
      call.context.write(at, value);
      return variable;
    };
  });

  return {
    weights,
    softmax: softmax !== undefined,
    unsteady,
    initialize: (random) => tidied(() => initialValues(factory, model, weights, random)),
    forward(weight, batch, context) {
      const inputs = fields.map((field, at) => inputOf(batch, field, model.inputs[at]!.shape));
      call = { weight, written: new Map(), context };
      const restore =
        context.logits && softmax !== undefined ? replaceActivation(softmax) : undefined;
      try {
        const outputs = model.apply(inputs.length === 1 ? inputs[0]! : inputs, {
          training: context.training,
        });
        return {
          outputs: Array.isArray(outputs) ? outputs[0]! : outputs,
          penalties: model.calculateLosses(),
        };
      } finally {
        call = undefined;
        restore?.();
      }
    },
    dispose() {
      model.dispose();
    },
  };
}

function initialValues(
  factory: LayersModelFactory,
  model: ModelLike,
  weights: readonly WeightSpec[],
  random: Random,
): Float32Array[] {
  const fresh = buildModel(factory, random);
  if (fresh === model)
    throw new TuttiError('BAD_PROGRAM', '`model` returned the same model twice', {
      remedy: 'Build a new model inside the function at every call.',
    });
  const built = nameWeights(fresh);
  const describe = (name: string, shape: readonly number[]) => `${name} [${shape.join(', ')}]`;
  const expected = weights.map(({ name, shape }) => describe(name, shape)).join('; ');
  const found = [...built].map(([{ shape }, name]) => describe(name, shape)).join('; ');
  if (expected !== found)
    throw new TuttiError(
      'BAD_PROGRAM',
      `\`model\` built different models: first ${expected}; then ${found}`,
      { remedy: 'Let it build the same layers at every call.' },
    );
  // The plain JavaScript backend gives its own memory, so a copy.
  const values = [...built.keys()].map((each) => Float32Array.from(each.read().dataSync()));
  fresh.dispose();
  return values;
}

/** The field of the batch for each input: "x" for a single one, else the input's name. */
function inputFields(model: ModelLike): string[] {
  if (model.inputs.length === 1) return ['x'];
  const stable = nameLayers(model);
  return model.inputs.map(({ sourceLayer }) => stable.get(sourceLayer) ?? sourceLayer.name);
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

function replaceActivation(layer: LayerLike): () => void {
  const original = layer.activation;
  layer.activation = identity;
  return () => {
    layer.activation = original ?? null;
  };
}

/** Not called "linear": tfjs would fuse that. */
const identity: Activation = { apply: (tensor) => tensor, getClassName: () => 'identity' };
