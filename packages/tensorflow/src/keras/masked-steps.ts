import { TuttiError } from '@tutti/runtime';
import type { LayerLike, ModelLike } from '../tfjs/layers-internals.js';

/**
 * Keras 3 leaves masked steps out of a global average, which tfjs counts; a bidirectional layer gives 0 for
 * them there, which matters where other steps are made of them; and what is side by side counts there if any of
 * it does, in tfjs if all of it does.
 * @param names what layers are called in files
 * @throws TuttiError BAD_PROGRAM naming the layer that would get a mask there
 */
export function checkMaskedSteps(model: ModelLike, names: ReadonlyMap<string, string>): void {
  const visit = (container: LayerLike, around: readonly LayerLike[]) => {
    const path = [...around, container];
    for (const layer of container.layers ?? []) {
      visit(layer, path);
      const why = unlike(layer, path);
      if (why === undefined || !readsMasked(layer, path)) continue;
      throw new TuttiError(
        'BAD_PROGRAM',
        `Layer "${names.get(layer.name) ?? layer.name}" (${layer.getClassName()}) ${why}`,
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
function unlike(layer: LayerLike, around: readonly LayerLike[]): string | undefined {
  const name = layer.getClassName();
  if (name === 'GlobalAveragePooling1D')
    return 'averages over masked steps, too, which Keras 3 leaves out';
  if (name === 'Bidirectional' && givesSteps(layer) && mixesSteps(layer))
    return 'gives something for masked steps that is read, and 0 in Keras 3';
  if (name === 'Concatenate' && maskSources(layer, around).size > 1)
    return 'puts steps with different masks side by side, of which Keras 3 counts those that any counts';
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
function mixesSteps(layer: LayerLike, seen = new Set<LayerLike>()): boolean {
  const nodes = layer.outboundNodes as readonly { readonly outboundLayer: LayerLike }[];
  return nodes.some(({ outboundLayer: reader }) => {
    const name = reader.getClassName();
    if (RECURRENT.has(name)) return false;
    const { axis = -1 } = reader as { readonly axis?: number | readonly number[] };
    const last =
      name === 'BatchNormalization' || [axis].flat().every((each) => [-1, 2].includes(each));
    if (!PASSING.has(name) || !last) return true;
    // One that is called several times reads itself, and many ways may lead to one.
    if (seen.has(reader)) return false;
    seen.add(reader);
    return mixesSteps(reader, seen);
  });
}

const readsMasked = (layer: LayerLike, around: readonly LayerLike[]) =>
  [...maskSources(layer, around)].some((source) => source !== undefined);

/**
 * The layers that make the masks of what a layer reads; undefined for what has none.
 * @param around the models that the layer is in, the inmost last
 * @param seen layers of which it is known already
 */
function maskSources(
  layer: LayerLike,
  around: readonly LayerLike[],
  seen = new Set<LayerLike>(),
): ReadonlySet<LayerLike | undefined> {
  const nodes = layer.inboundNodes as readonly { readonly inboundLayers: readonly LayerLike[] }[];
  const read = nodes.flatMap(({ inboundLayers }) => inboundLayers);
  return new Set(read.flatMap((each) => [...maskOf(each, around, seen)]));
}

function maskOf(
  layer: LayerLike,
  around: readonly LayerLike[],
  seen: Set<LayerLike>,
): Iterable<LayerLike | undefined> {
  if (seen.has(layer)) return [];
  seen.add(layer);
  const { layers, outputs, maskZero } = layer as Partial<ModelLike> & {
    readonly maskZero?: boolean;
  };
  const name = layer.getClassName();
  if (name === 'Embedding') return [maskZero ? layer : undefined];
  if (name === 'Masking') return [layer];
  if (name === 'InputLayer')
    return around.length > 1 ? maskSources(around.at(-1)!, around.slice(0, -1), seen) : [undefined];
  if (layers !== undefined)
    return outputs!.flatMap(({ sourceLayer }) => [
      ...maskOf(sourceLayer, [...around, layer], seen),
    ]);
  const passes = RECURRENT.has(name) ? givesSteps(layer) : PASSING.has(name);
  return passes ? maskSources(layer, around, seen) : [undefined];
}

const givesSteps = (layer: LayerLike) =>
  (layer as { readonly returnSequences?: boolean }).returnSequences === true;
