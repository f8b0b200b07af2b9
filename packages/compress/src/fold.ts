import type { LayerSpec, ModelSpec } from './model-spec.js';

const FOLDABLE: readonly LayerSpec['kind'][] = ['dense', 'conv2d', 'depthwiseConv2d'];

/** A layer whose inputs are said, with the numbers that they had before anything was folded. */
interface Kept {
  readonly spec: LayerSpec;
  readonly inputs: readonly number[];
}

/**
 * The same model with fewer layers: the factors and summands of batch normalisation become part of the
 * kernel and bias before it, and an activation part of the layer before it, where nobody else reads
 * what is between them.
 */
export function fold({ input, layers }: ModelSpec): ModelSpec {
  const inputsOf = layers.map((spec, at) => spec.inputs ?? [at]);
  const readers = new Map<number, number>();
  for (const at of inputsOf.flat()) readers.set(at, (readers.get(at) ?? 0) + 1);
  /** The place in `kept` of each result, counted from 1; 0 is the example. */
  const places = [0];
  const kept: Kept[] = [];
  for (const [at, spec] of layers.entries()) {
    const inputs = inputsOf[at]!.map((each) => places[each]!);
    const before = kept[inputs[0]! - 1];
    const joined =
      inputs.length === 1 && before !== undefined && readers.get(inputsOf[at]![0]!) === 1
        ? join(before.spec, spec)
        : undefined;
    if (joined === undefined) places.push(kept.push({ spec, inputs }));
    else {
      kept[inputs[0]! - 1] = { spec: joined, inputs: before!.inputs };
      places.push(inputs[0]!);
    }
  }
  return { input, layers: kept.map(({ spec, inputs }) => ({ ...spec, inputs })) };
}

/** Both as one layer, if they can be. */
function join(before: LayerSpec, spec: LayerSpec): LayerSpec | undefined {
  if (before.activations?.length !== 1 || before.activations[0]!.name !== 'linear')
    return undefined;
  if (!FOLDABLE.includes(before.kind)) return undefined;
  if (spec.kind === 'activation') return { ...before, activations: spec.activations! };
  if (spec.kind !== 'affine') return undefined;
  // What others are drawn or made of, units of other factors read, too.
  const weights = [...before.weights!, ...spec.weights!];
  if (!weights.every((weight) => weight instanceof Float32Array)) return undefined;
  const [kernel, bias] = before.weights as readonly [Float32Array, Float32Array];
  const [factor, summand] = spec.weights as readonly [Float32Array, Float32Array];
  // What a kernel has for one unit, or for one filter of one channel, is its last dimensions.
  const units = bias.length;
  return {
    ...before,
    weights: [
      kernel.map((value, at) => value * factor[at % units]!),
      bias.map((value, at) => value * factor[at]! + summand[at]!),
    ],
  };
}
