import { TuttiError } from '@tutti/runtime';
import type { LayerLike, ModelLike } from '../tfjs/layers-internals.js';

/**
 * Keras 3 leaves masked steps out of a global average, which tfjs counts.
 * @throws TuttiError BAD_PROGRAM naming the layer that would get a mask there
 */
export function checkAverages(model: ModelLike): void {
  const visit = (container: LayerLike, around: readonly LayerLike[]) => {
    const path = [...around, container];
    for (const layer of container.layers ?? []) {
      visit(layer, path);
      if (layer.getClassName() === 'GlobalAveragePooling1D' && readsMasked(layer, path))
        throw new TuttiError(
          'BAD_PROGRAM',
          `Layer "${layer.name}" (GlobalAveragePooling1D) averages over masked steps, too, which Keras 3 leaves out`,
          {
            remedy:
              'Leave out `maskZero` and masking layers before it, or export another --format: tfjs and safetensors have every layer.',
          },
        );
    }
  };
  visit(model, []);
}

/** Layers whose results have the mask of what they read, in Keras 3; recurrent ones, if they give all steps. */
const PASSING = new Set(
  [
    'Activation Add AlphaDropout Average BatchNormalization Bidirectional Concatenate Dense Dropout ELU',
    'GRU GaussianDropout GaussianNoise LSTM LayerNormalization LeakyReLU Maximum Minimum Multiply',
    'PReLU RNN ReLU Rescaling SimpleRNN Softmax SpatialDropout1D ThresholdedReLU TimeDistributed',
  ].flatMap((names) => names.split(' ')),
);

/** @param around the models that the layer is in, the inmost last */
function readsMasked(layer: LayerLike, around: readonly LayerLike[]): boolean {
  const nodes = layer.inboundNodes as readonly { readonly inboundLayers: readonly LayerLike[] }[];
  return nodes.some(({ inboundLayers }) => inboundLayers.some((each) => isMasked(each, around)));
}

function isMasked(layer: LayerLike, around: readonly LayerLike[]): boolean {
  const { layers, outputs, maskZero, returnSequences } = layer as Partial<ModelLike> &
    Record<'maskZero' | 'returnSequences', boolean | undefined>;
  const name = layer.getClassName();
  if (name === 'Embedding') return maskZero === true;
  if (name === 'Masking') return true;
  if (name === 'InputLayer')
    return around.length > 1 && readsMasked(around.at(-1)!, around.slice(0, -1));
  if (layers !== undefined)
    return outputs!.some(({ sourceLayer }) => isMasked(sourceLayer, [...around, layer]));
  return PASSING.has(name) && returnSequences !== false && readsMasked(layer, around);
}
