import type { Batch } from '@tutti/data';
import type { EdgeModel } from '@tutti/edge';
import { createRandom } from '@tutti/runtime';
import type { EvaluationResult, Program } from '@tutti/worker';
import type { Forward } from '../model/differentiable-model.js';
import { layersModel } from '../model/layers-model.js';
import { tf } from '../tf.js';
import { type BatchTensors, batchTensors, exampleCount } from '../tfjs/batch-tensors.js';
import { drawNoise } from '../tfjs/noise.js';
import { tidied } from '../tfjs/tidied.js';
import { createObjective } from '../training/objective.js';
import type { TrainingProgram } from '../training/training.js';
import type { TrainingOptions } from '../training/training-options.js';

/** The metrics of a program for what a .tutti file predicts: sums over the examples of a batch. */
export function evaluateEdge(
  program: Program,
  model: EdgeModel,
  batch: Batch,
): Pick<EvaluationResult, 'count'> & { readonly metrics: Readonly<Record<string, number>> } {
  const { training } = program as TrainingProgram;
  const count = exampleCount(batch);
  const { data } = batch.x!;
  const size = data.length / count;
  const predictions = Array.from({ length: count }, (_, at) => [
    ...model.predict(data.subarray(at * size, (at + 1) * size)),
  ]).flat();
  return tidied(() => {
    const outputs = tf.tensor(Float32Array.from(predictions), [count, ...model.output]);
    const objective = createObjective(training, { outputs: undefined, softmax: [] });
    const tensors = batchTensors(batch);
    const masks = masksOf(training, tensors);
    try {
      const given = { batch: tensors, outputs: [outputs], masks };
      return { count, metrics: objective.sums(given, objective.measure(given)) };
    } finally {
      tf.dispose([...masks]);
    }
  });
}

/** What the layers of the program find to count: such a file has masks of embeddings alone, which no weight decides. */
function masksOf({ model }: TrainingOptions, batch: BatchTensors): Forward['masks'] {
  if (typeof model !== 'function') return [];
  const layers = layersModel(model);
  const zeros = (at: number) => tf.zeros([...layers.weights[at]!.shape]);
  try {
    const { outputs, masks } = layers.forward(zeros, batch, {
      training: false,
      logits: [false],
      outputs: undefined,
      random: createRandom('masks'),
      noise: drawNoise,
      factored(at) {
        const width = layers.weights[at]!.shape.at(-1)!;
        return {
          apply: (x) => tf.zeros([...x.shape.slice(0, -1), width]),
          lookUp: (ids) => tf.zeros([ids.size, width]),
        };
      },
      write() {},
    });
    tf.dispose([...outputs]);
    return masks;
  } finally {
    layers.dispose();
  }
}
