/** The configuration of a layer, by Keras' names: as tfjs writes it, and as Keras 3 reads it. */
export type LayerConfig = Readonly<Record<string, unknown>>;

/** Why Keras 3 has no such layer: as the end of a sentence. */
export class Unlike extends Error {}

type Convert = (config: LayerConfig) => LayerConfig;

/** What of a configuration Keras 3 has no more, or what says nothing of a model that is trained. */
const DROPPED = /^(?:.*_initializer|batch_input_shape|dtype|input_length|implementation|rank)$/;

/** One of Keras 3, as its configurations have it. */
export const kerasObject = (module: string, className: string, config: LayerConfig) => ({
  ...{ module, class_name: className, config, registered_name: null },
});

/**
 * Where tfjs, as Keras 2, computes clip(x / 5 + 1 / 2, 0, 1), Keras 3 computes clip(x / 6 + 1 / 2, 0, 1)
 * under the same name. Its activations may be layers: these are what tfjs computes.
 */
const HARD_SIGMOID = kerasObject('keras', 'Sequential', {
  name: 'hard_sigmoid',
  layers: [
    kerasObject('keras.layers', 'Rescaling', { name: 'fifth', scale: 0.2, offset: 0.5 }),
    kerasObject('keras.layers', 'ReLU', { name: 'clip', max_value: 1 }),
  ],
});

function kerasActivation(value: unknown): unknown {
  if (value === 'hard_sigmoid') return HARD_SIGMOID;
  if (value === 'gelu_new')
    throw new Unlike('has the activation gelu_new, for which Keras 3 has no name: take gelu');
  return value;
}

const same: Convert = (config) => config;
const refused =
  (why: string): Convert =>
  () => {
    throw new Unlike(why);
  };

const RNN_OPTIONS =
  'name trainable cell return_sequences return_state go_backwards stateful unroll'.split(' ');

/** By the class of a layer, which is that of Keras; each is loaded in keras-model.test.ts. */
const CONVERSIONS: Readonly<Record<string, Convert>> = {
  ...Object.fromEntries(
    [
      'Activation Add AlphaDropout Average AveragePooling1D AveragePooling2D AveragePooling3D',
      'BatchNormalization Concatenate Conv1D Conv2D Conv2DTranspose Conv3D',
      'Conv3DTranspose ConvLSTM2D Cropping2D Dense DepthwiseConv2D Dot Dropout ELU Embedding Flatten',
      'GRU GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D',
      'GlobalMaxPooling1D GlobalMaxPooling2D LSTM LSTMCell LayerNormalization Masking MaxPooling1D',
      'MaxPooling2D MaxPooling3D Maximum Minimum Multiply PReLU Permute ReLU RepeatVector',
      'Rescaling Reshape SeparableConv2D SimpleRNN SimpleRNNCell Softmax StackedRNNCells',
      'TimeDistributed ZeroPadding2D',
    ].flatMap((names) => names.split(' ').map((name) => [name, same])),
  ),
  Bidirectional(config) {
    const { layer } = config as { readonly layer: { readonly config: LayerConfig } };
    if (layer.config.go_backwards === true)
      throw new Unlike('has a layer that goes backwards: tfjs lets both of its copies do so');
    return config;
  },
  CenterCrop: refused('crops its input, too, in what tfjs writes: take cropping2D'),
  LeakyReLU: ({ alpha, ...config }) => ({ ...config, negative_slope: alpha }),
  // tfjs mixes the configuration of the cell with it.
  RNN: (config) => Object.fromEntries(RNN_OPTIONS.map((name) => [name, config[name]])),
  SpatialDropout1D: ({ name, rate, seed }) => ({ name, rate, seed }),
  // Gone from Keras 3, whose ReLU can do it.
  ThresholdedReLU: ({ theta, ...config }) => ({ ...config, threshold: theta }),
  UpSampling2D(config) {
    if (config.interpolation === 'bilinear')
      throw new Unlike('interpolates, which Keras 3 does between other points');
    return config;
  },
};

/** What is called otherwise in Keras 3. */
const RENAMED: Readonly<Record<string, string>> = { ThresholdedReLU: 'ReLU' };

/**
 * The layer of Keras 3 that computes what one of tfjs does; what it wraps is left as it is.
 * @throws Unlike
 */
export function kerasLayer(className: string, config: LayerConfig) {
  const convert = Object.hasOwn(CONVERSIONS, className) ? CONVERSIONS[className] : undefined;
  if (convert === undefined) throw new Unlike('is of a kind that Keras does not have');
  const kept = Object.entries(config)
    .filter(([name]) => !DROPPED.test(name))
    .map(([name, value]) => [name, /activation$/.test(name) ? kerasActivation(value) : value]);
  const converted = convert(Object.fromEntries(kept));
  return kerasObject('keras.layers', RENAMED[className] ?? className, converted);
}
