/**
 * The ConvNet of `examples/src`, 225,034 parameters, for `tutti compress`.
 *
 *     npx tutti train examples/papers/convnet.ts
 *     npx tutti compress examples/papers/convnet.ts --epochs 4 --rounds 3 --learning-rate 0.001 \
 *       --keep conv2d_1=0.8,conv2d_2=0.25,dense_1=0.04,dense_2=0.4
 */
import { defineTraining } from '@tutti/tensorflow';
import convnet from '../src/mnist-convnet.js';
import { digits } from './digits.js';

export default defineTraining({ ...convnet.training, name: 'convnet', data: digits });
