import { idx } from '@tutti/data';
import { tf } from '@tutti/tensorflow';

/**
 * A process of its own: trains the MNIST ConvNet with `model.fit` of tfjs-node as it comes, on all cores,
 * and prints examples a second after a quarter of the steps, and its highest resident memory. Arguments: the
 * folder of the files of MNIST, steps, batch size.
 */
const [folder, ...numbers] = process.argv.slice(2);
const [steps, batchSize] = numbers.map(Number) as [number, number];
const examples = steps * batchSize;

const dataset = await idx(
  { x: `${folder}/train-images-idx3-ubyte`, y: `${folder}/train-labels-idx1-ubyte` },
  { classes: 10, channelDimension: true },
);
const { x, y } = await dataset.read(Array.from({ length: examples }, (_, i) => i));
const model = tf.sequential({
  layers: [
    tf.layers.conv2d({
      inputShape: [28, 28, 1],
      filters: 32,
      kernelSize: 3,
      activation: 'relu',
    }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 128, activation: 'relu' }),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ],
});
model.compile({
  optimizer: tf.train.adam(0.001),
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
});
let began = 0;
await model.fit(
  tf.tensor(x!.data as Float32Array, [...x!.shape]),
  tf.tensor(Float32Array.from(y!.data), [...y!.shape]),
  {
    batchSize,
    epochs: 1,
    verbose: 0,
    callbacks: {
      onBatchEnd: async (batch) => {
        if (batch === steps / 4 - 1) began = performance.now();
      },
    },
  },
);
const examplesPerSecond = (1000 * (examples - examples / 4)) / (performance.now() - began);
const peakBytes = 1024 * process.resourceUsage().maxRSS;
console.log(JSON.stringify({ examplesPerSecond, peakBytes }));
process.exit(0);
