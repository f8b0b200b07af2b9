import type { WeightRole } from '@tutti/parameters';
import type { FactoredWeight } from '../sharing/factored-weight.js';
import { tf } from '../tf.js';
import type { LayerLike, LayerVariable, ModelLike } from '../tfjs/layers-internals.js';
import type { Override } from '../tfjs/overrides.js';
import { allLayers } from './build-model.js';

/** What a layer gets instead of a weight in the current call, if anything. */
export type Factored = (variable: LayerVariable) => FactoredWeight | undefined;

/**
 * Lets dense layers apply their kernel, and embeddings look up rows of theirs, without having it
 * whole, where the current call says so.
 * @returns also what each of these weights is for
 */
export function factorLayers(
  model: ModelLike,
  factored: Factored,
): {
  readonly roles: ReadonlyMap<LayerVariable, WeightRole>;
  readonly overrides: readonly Override[];
} {
  const roles = new Map<LayerVariable, WeightRole>();
  const overrides = allLayers(model)
    .flatMap(withInner)
    .flatMap((layer) => {
      if (Object.hasOwn(layer, 'call')) return [];
      if (isDense(layer)) {
        roles.set(layer.kernel, 'product');
        return [replacedCall(layer, (input) => denseOf(layer, input, factored(layer.kernel)))];
      }
      if (isEmbedding(layer)) {
        roles.set(layer.embeddings, 'rows');
        return [replacedCall(layer, (input) => rowsOf(layer, input, factored(layer.embeddings)))];
      }
      return [];
    });
  return { roles, overrides };
}

function denseOf(layer: Dense, input: tf.Tensor, weight: FactoredWeight | undefined) {
  const product = weight?.apply(input);
  if (product === undefined) return undefined;
  const biased = layer.bias == null ? product : product.add(layer.bias.read());
  return layer.activation?.apply(biased) ?? biased;
}

function rowsOf({ embeddings }: Embedding, input: tf.Tensor, weight: FactoredWeight | undefined) {
  if (weight === undefined) return undefined;
  const ids = input.cast('int32').reshape([-1]) as tf.Tensor1D;
  return weight.lookUp(ids).reshape([...input.shape, embeddings.shape[1]!]);
}

/** Wrappers call the layer in them. */
function withInner(layer: LayerLike): LayerLike[] {
  return [layer, ...(layer.layer === undefined ? [] : withInner(layer.layer))];
}

function replacedCall(
  layer: Callable,
  call: (input: tf.Tensor) => tf.Tensor | undefined,
): Override {
  const value: Callable['call'] = (inputs, kwargs) =>
    tf.tidy(() => {
      const input = Array.isArray(inputs) ? inputs[0]! : inputs;
      return call(input) ?? Object.getPrototypeOf(layer).call.call(layer, inputs, kwargs);
    });
  return { target: layer, property: 'call', value };
}

interface Callable extends LayerLike {
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: object): tf.Tensor;
}

interface Dense extends Callable {
  readonly kernel: LayerVariable;
  readonly bias?: LayerVariable | null;
}

interface Embedding extends Callable {
  readonly embeddings: LayerVariable;
}

const isDense = (layer: LayerLike): layer is Dense => layer.getClassName() === 'Dense';
const isEmbedding = (layer: LayerLike): layer is Embedding => layer.getClassName() === 'Embedding';
