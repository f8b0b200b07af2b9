import type { ActivationSpec } from '@tutti/compress';

const NAMES: Readonly<Record<string, ActivationSpec>> = {
  linear: { name: 'linear' },
  relu: { name: 'relu' },
  relu6: { name: 'clippedRelu', argument: 6 },
  elu: { name: 'elu', argument: 1 },
  selu: { name: 'selu' },
  sigmoid: { name: 'sigmoid' },
  hardSigmoid: { name: 'hardSigmoid' },
  tanh: { name: 'tanh' },
  softplus: { name: 'softplus' },
  softsign: { name: 'softsign' },
  swish: { name: 'swish' },
  softmax: { name: 'softmax' },
};

/** @param name as tfjs calls it in a layer's configuration; undefined if the file has none for it */
export function activationSpec(name: unknown): ActivationSpec | undefined {
  return typeof name === 'string' && Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
}
