import type { Batch } from '@tutti/data';
import type { EdgeModel } from '@tutti/edge';
import type { EvaluationResult, Program } from '@tutti/worker';
import { tf } from '../tf.js';
import { batchTensors, exampleCount } from '../tfjs/batch-tensors.js';
import { tidied } from '../tfjs/tidied.js';
import { createObjective } from '../training/objective.js';
import type { TrainingProgram } from '../training/training.js';

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
    const given = { batch: batchTensors(batch), outputs: [outputs], masks: [] };
    return { count, metrics: objective.sums(given, objective.measure(given)) };
  });
}
