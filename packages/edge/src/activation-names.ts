/** What writers call `ACTIVATIONS`, in their order; a file of its own, since the reader does without. */
export const ACTIVATION_NAMES = [
  'linear',
  'relu',
  'clippedRelu',
  'leakyRelu',
  'elu',
  'selu',
  'sigmoid',
  'hardSigmoid',
  'tanh',
  'softplus',
  'softsign',
  'swish',
  'softmax',
] as const;
