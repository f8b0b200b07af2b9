/**
 * The ConvNet of `examples/src`, 225,034 parameters, with dropout while it is trained, for `tutti compress`.
 *
 *     npx tutti train examples/papers/convnet.ts
 *     DROPOUT=0.1 npx tutti compress examples/papers/convnet.ts --epochs 2 --rounds 3 --learning-rate 0.001 \
 *       --keep conv2d_1=0.8,conv2d_2=0.25,dense_1=0.043,dense_2=0.4
 */
import { defineTraining, tf } from '@tutti/tensorflow';
import convnet from '../src/mnist-convnet.js';
import { digits } from './digits.js';
import { setting } from './settings.js';

const rate = setting('DROPOUT', 0.3);
const convolution = (filters: number, inputShape?: number[]) =>
  tf.layers.conv2d({
    filters,
    kernelSize: 3,
    activation: 'relu',
    ...(inputShape && { inputShape }),
  });

export default defineTraining({
  ...convnet.training,
  name: 'convnet',
  data: digits,
  model: () =>
    tf.sequential({
      layers: [
        convolution(32, [28, 28, 1]),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        convolution(64),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dropout({ rate }),
        tf.layers.dense({ units: 128, activation: 'relu' }),
        tf.layers.dropout({ rate }),
        tf.layers.dense({ units: 10, activation: 'softmax' }),
      ],
    }),
});
