import { TuttiError } from '@tutti/runtime';
import type { LayerLike, ModelLike } from '../tfjs/layers-internals.js';

/**
 * Keras 3 leaves masked steps out of a global average, which tfjs counts, and a bidirectional layer gives 0 for
 * them there, which matters where other steps are made of them.
 * @throws TuttiError BAD_PROGRAM naming the layer that would get a mask there
 */
export function checkMaskedSteps(model: ModelLike): void {
  const visit = (container: LayerLike, around: readonly LayerLike[]) => {
    const path = [...around, container];
    for (const layer of container.layers ?? []) {
      visit(layer, path);
      const why = unlike(layer);
      if (why === undefined || !readsMasked(layer, path)) continue;
      throw new TuttiError(
        'BAD_PROGRAM',
        `Layer "${layer.name}" (${layer.getClassName()}) ${why}`,
        {
          remedy:
            'Leave out `maskZero` and masking layers before it, or export another --format: tfjs and safetensors have every layer.',
        },
      );
    }
  };
  visit(model, []);
}

/** What Keras does otherwise with a mask. */
function unlike(layer: LayerLike): string | undefined {
  const name = layer.getClassName();
  if (name === 'GlobalAveragePooling1D')
    return 'averages over masked steps, too, which Keras 3 leaves out';
  if (name === 'Bidirectional' && givesSteps(layer) && mixesSteps(layer))
    return 'gives something for masked steps that is read, and 0 in Keras 3';
  return undefined;
}

const words = (...lines: readonly string[]) => new Set(lines.flatMap((line) => line.split(' ')));

/** They leave masked steps as they were. */
const RECURRENT = words('Bidirectional GRU LSTM RNN SimpleRNN');

/** Layers whose results have the mask of what they read, in Keras 3; recurrent ones, if they give all steps. */
const PASSING = words(
  'Activation Add AlphaDropout Average BatchNormalization Concatenate Dense Dropout ELU',
  'GaussianDropout GaussianNoise LayerNormalization LeakyReLU Maximum Minimum Multiply PReLU ReLU',
  'Rescaling Softmax SpatialDropout1D ThresholdedReLU TimeDistributed',
);

/** Whether steps are made of others of a layer's result, but for recurrent layers, which mask them. */
function mixesSteps(layer: LayerLike): boolean {
  const nodes = layer.outboundNodes as readonly { readonly outboundLayer: LayerLike }[];
  return nodes.some(({ outboundLayer: reader }) => {
    const name = reader.getClassName();
    if (RECURRENT.has(name)) return false;
    const { axis = -1 } = reader as { readonly axis?: number | readonly number[] };
    const last =
      name === 'BatchNormalization' || [axis].flat().every((each) => [-1, 2].includes(each));
    return !PASSING.has(name) || !last || mixesSteps(reader);
  });
}

/** @param around the models that the layer is in, the inmost last */
function readsMasked(layer: LayerLike, around: readonly LayerLike[]): boolean {
  const nodes = layer.inboundNodes as readonly { readonly inboundLayers: readonly LayerLike[] }[];
  return nodes.some(({ inboundLayers }) => inboundLayers.some((each) => isMasked(each, around)));
}

function isMasked(layer: LayerLike, around: readonly LayerLike[]): boolean {
  const { layers, outputs, maskZero } = layer as Partial<ModelLike> & {
    readonly maskZero?: boolean;
  };
  const name = layer.getClassName();
  if (name === 'Embedding') return maskZero === true;
  if (name === 'Masking') return true;
  if (name === 'InputLayer')
    return around.length > 1 && readsMasked(around.at(-1)!, around.slice(0, -1));
  if (layers !== undefined)
    return outputs!.some(({ sourceLayer }) => isMasked(sourceLayer, [...around, layer]));
  const passes = RECURRENT.has(name) ? givesSteps(layer) : PASSING.has(name);
  return passes && readsMasked(layer, around);
}

const givesSteps = (layer: LayerLike) =>
  (layer as { readonly returnSequences?: boolean }).returnSequences === true;
