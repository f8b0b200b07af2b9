import { TuttiError } from '@tutti/runtime';
import { kerasLayer, kerasObject, type LayerConfig, Unlike } from './layer-configs.js';

/** A layer as tfjs writes it in a topology: in Keras 2's form. */
export interface SerializedLayer {
  readonly class_name: string;
  readonly config: LayerConfig & { readonly name?: string };
  readonly name?: string;
  readonly inbound_nodes?: unknown;
}

type Shape = readonly (number | null)[];

/** What goes into a sequential model, which its topology does not always say. */
export type InputOf = (name: string) => { readonly shape: Shape; readonly dtype: string };

/**
 * The `config.json` of a `.keras` file, from the topology that tfjs writes. First values are left out.
 * Calls of layers stay in Keras 2's lists, which Keras 3 reads as they are.
 * @throws TuttiError BAD_PROGRAM naming the layer that Keras 3 does not have, or not so
 */
export function modelConfig(layer: SerializedLayer, inputOf: InputOf): Record<string, unknown> {
  const { name, inbound_nodes } = layer;
  // Its name in the model around it, and its calls there.
  const place = inbound_nodes === undefined ? {} : { name, inbound_nodes };
  return { ...converted(layer, inputOf), ...place };
}

function converted(layer: SerializedLayer, inputOf: InputOf) {
  const { class_name: className, config } = layer;
  const { name, trainable = true } = config;
  if (className === 'InputLayer') return inputLayer(name!, config.batch_input_shape, config.dtype);
  if (config.layers === undefined) return otherLayer(layer, inputOf);
  const layers = (config.layers as SerializedLayer[]).map((each) => modelConfig(each, inputOf));
  if (className === 'Sequential') {
    const { shape, dtype } = inputOf(name!);
    // tfjs lets the first layer say it.
    if (layers[0]!.class_name !== 'InputLayer')
      layers.unshift(inputLayer(`${name}_input`, shape, dtype));
    return kerasObject('keras', 'Sequential', {
      name,
      trainable,
      layers,
      build_input_shape: shape,
    });
  }
  const ownCalls = callsWithin(config.layers as SerializedLayer[]);
  return kerasObject('keras.src.models.functional', 'Functional', {
    ...{ name, trainable, layers: layers.map(ownCalls.ofLayer) },
    input_layers: config.input_layers,
    output_layers: (config.output_layers as Call[]).map(ownCalls.ofOutput),
  });
}

/** A result: of which layer, at which of its calls, and which of the tensors. */
type Call = readonly [layer: string, call: number, ...rest: unknown[]];

/**
 * Keras 2 counts the calls of a model from 1, after the one that made it, as tfjs does. Keras 3 counts them from
 * 0, but for those of functional models that are results of the model around them.
 */
function callsWithin(layers: readonly SerializedLayer[]) {
  const models = new Map(
    layers.flatMap(({ class_name, config }) =>
      config.layers === undefined ? [] : [[config.name, class_name]],
    ),
  );
  const earlier = ([layer, call, ...rest]: Call): Call => [layer, call - 1, ...rest];
  const ofInput = (call: Call) => (models.has(call[0]) ? earlier(call) : call);
  return {
    ofOutput: (call: Call) => (models.get(call[0]) === 'Sequential' ? earlier(call) : call),
    ofLayer(layer: Record<string, unknown>) {
      const nodes = (layer.inbound_nodes as Call[][]).map((calls) => calls.map(ofInput));
      const recurrent = STATEFUL.has(layer.class_name as string);
      const inbound_nodes = nodes.map((calls) =>
        recurrent && calls.length > 1 ? withState(calls) : calls,
      );
      return { ...layer, inbound_nodes };
    },
  };
}

/** Layers that take states besides what they read. */
const STATEFUL = new Set(['Bidirectional', 'ConvLSTM2D', 'GRU', 'LSTM', 'RNN', 'SimpleRNN']);

/** A call as Keras 3 writes it: states are no inputs like others there. */
function withState([sequence, ...states]: readonly Call[]) {
  const tensor = (call: Call | undefined) => ({
    class_name: '__keras_tensor__',
    // Where it comes from is all that is read.
    config: { shape: [null], dtype: 'float32', keras_history: call!.slice(0, 3) },
  });
  return { args: [tensor(sequence)], kwargs: { initial_state: states.map(tensor) } };
}

const inputLayer = (name: string, shape: unknown, dtype: unknown) =>
  kerasObject('keras.layers', 'InputLayer', { batch_shape: shape, dtype, sparse: false, name });

function otherLayer({ class_name: className, config }: SerializedLayer, inputOf: InputOf) {
  const { layer, cell, cells } = config as {
    readonly layer?: SerializedLayer;
    readonly cell?: SerializedLayer;
    readonly cells?: readonly SerializedLayer[];
  };
  const wrapped = {
    ...(layer && { layer: modelConfig(layer, inputOf) }),
    ...(cell && { cell: modelConfig(cell, inputOf) }),
    ...(cells && { cells: cells.map((each) => modelConfig(each, inputOf)) }),
  };
  try {
    return kerasLayer(className, { ...config, ...wrapped });
  } catch (error) {
    if (!(error instanceof Unlike)) throw error;
    throw new TuttiError('BAD_PROGRAM', `Layer "${config.name}" (${className}) ${error.message}`, {
      remedy: 'Or export another --format: tfjs and safetensors have every layer.',
      cause: error,
    });
  }
}
