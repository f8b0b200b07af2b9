import type { LayerSpec, ModelSpec } from '@tutti/compress';
import { TuttiError } from '@tutti/runtime';
import type { BuiltModel } from '../model/build-model.js';
import type { LayerVariable } from '../tfjs/layers-internals.js';
import { activationSpec } from './activation-spec.js';
import type { Result } from './conversion.js';
import { CONVERTERS } from './converters.js';
import {
  nodeOf,
  type SymbolicTensor,
  symbolicInputs,
  symbolicOutput,
  withinModel,
} from './symbolic.js';
import type { WrittenWeights } from './written-weights.js';

/**
 * A model of tfjs in the words of the .tutti file.
 * @param values by the order of the model's weights
 * @param written the same weights as the file is to have them
 * @throws TuttiError BAD_MODEL naming the layer for which it has none
 */
export function convert(
  { model, weights }: BuiltModel,
  values: readonly Float32Array[],
  written: WrittenWeights,
): ModelSpec {
  const places = new Map([...weights.keys()].map((variable, at) => [variable, at]));
  const weight = (variable: LayerVariable) => written.weight(places.get(variable)!);
  const inputs = symbolicInputs(model);
  if (inputs.length !== 1)
    throw refused(`The model has ${inputs.length} inputs, and such a file is for one`);
  if (model.outputs.length !== 1)
    throw refused(`The model has ${model.outputs.length} outputs, and such a file is for one`);
  const layers: LayerSpec[] = [];

  /** @param known results by tensor: those of a model within the model are others each time that it is applied */
  function resultOf(tensor: SymbolicTensor, known: Map<number, Result>): Result {
    const found = known.get(tensor.id);
    if (found !== undefined) return found;
    const { sourceLayer: layer } = tensor;
    const name = `Layer "${layer.name}" (${layer.getClassName()})`;
    const refuse = (why: string): never => {
      throw refused(`${name} ${why}`);
    };
    const node = nodeOf(tensor);
    const given = node.inputTensors.map((each) => resultOf(each, known));
    const within = withinModel(layer);
    if (within !== undefined) {
      const ownInputs = within.inputs.map(({ id }, at) => [id, given[at]!] as const);
      const at = node.outputTensors.findIndex(({ id }) => id === tensor.id);
      const result = resultOf(within.outputs[at]!, new Map(ownInputs));
      known.set(tensor.id, result);
      return result;
    }
    const convertLayer = CONVERTERS[layer.getClassName()];
    if (convertLayer === undefined) refuse('is of a kind that such a file does not have');
    if (node.outputTensors.length !== 1) refuse('has several outputs');
    const shape = fixed(tensor, refuse);
    const result = convertLayer!({
      layer,
      inputs: given as [Result, ...Result[]],
      shape,
      config: layer.getConfig(),
      emit: (spec) => layers.push(spec),
      weight,
      factors: (variable) => written.factors(places.get(variable)!),
      values: (variable) => values[places.get(variable)!]!,
      bias: (variable, size) => (variable ? weight(variable) : new Float32Array(size)),
      activation(given = layer.getConfig().activation) {
        return activationSpec(given) ?? refuse(`has the activation ${JSON.stringify(given)}`);
      },
      refuse,
    });
    known.set(tensor.id, result);
    return result;
  }

  const [input] = inputs as [SymbolicTensor];
  const example: Result = {
    at: 0,
    shape: fixed(input, (why) => {
      throw refused(`The input of the model ${why}`);
    }),
  };
  const output = resultOf(symbolicOutput(model), new Map([[input.id, example]]));
  // What the file predicts is the result of its last layer.
  if (output.at !== layers.length)
    layers.push({ kind: 'reshape', inputs: [output.at], numbers: output.shape });
  return { input: example.shape, layers };
}

function fixed({ shape }: SymbolicTensor, refuse: (why: string) => never): number[] {
  return shape
    .slice(1)
    .map((extent) => extent ?? refuse(`has an extent that is not fixed: [${shape.join(', ')}]`));
}

function refused(message: string): TuttiError {
  return new TuttiError('BAD_MODEL', message, {
    remedy: 'Export it for TensorFlow.js instead: `tutti export --format tfjs`.',
  });
}
