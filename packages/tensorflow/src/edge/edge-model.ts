import {
  chooseParts,
  fold,
  type ModelSpec,
  type Precisions,
  type WrittenModel,
  writeModel,
} from '@tutti/compress';
import { readModel } from '@tutti/edge';
import { sharing as computing } from '@tutti/edge/sharing';
import { createRandom, TuttiError } from '@tutti/runtime';
import type { ParameterValues, Program } from '@tutti/worker';
import { builtWith } from '../export/built-with.js';
import type { BuiltModel } from '../model/build-model.js';
import { tf } from '../tf.js';
import type { ModelLike } from '../tfjs/layers-internals.js';
import { overriding } from '../tfjs/overrides.js';
import { convert } from './convert.js';
import { createWrittenWeights } from './written-weights.js';

/** How far the file's predictions may be from those of TensorFlow, where no weight is rounded. */
const TOLERANCE = 1e-5;

/**
 * A trained program as the bytes of a .tutti file, which `@tutti/edge` reads. Before any weight is
 * rounded, what the file predicts is compared with what TensorFlow does.
 * @param program made by `defineTraining` from a `tf.LayersModel`
 * @param values the stored parameters, by name
 * @param precisions how weights are rounded; not at all, if not given
 * @throws TuttiError BAD_MODEL naming a layer that such a file does not have; BAD_PROGRAM for another
 *   kind of program
 */
export function edgeModel(
  program: Program,
  values: ParameterValues,
  precisions: Precisions = {},
): WrittenModel {
  const { built, weights, sharing } = builtWith(program, values);
  try {
    const written = createWrittenWeights(sharing, weights, values);
    const spec = chooseParts(convert(built, weights, written), precisions);
    const folded = fold(spec);
    for (const each of [spec, folded]) compare(built, weights, each);
    const [plain, shorter] = [writeModel(spec, precisions), writeModel(folded, precisions)];
    // Factors of batch normalisation may make many values of the few of a shared kernel.
    return plain.bytes.length < shorter.bytes.length ? plain : shorter;
  } finally {
    built.dispose();
  }
}

function compare(built: BuiltModel, values: readonly Float32Array[], spec: ModelSpec): void {
  const model = readModel(writeModel(spec).bytes, { sharing: computing });
  const example = exampleFor(built.model, model.input);
  const expected = predicted(built, values, example, model.input);
  const found = model.predict(example);
  const scale = expected.reduce((most, each) => Math.max(most, Math.abs(each)), 1);
  for (const [at, value] of expected.entries()) {
    const difference = Math.abs(found[at]! - value);
    if (!(difference <= TOLERANCE * scale))
      throw new TuttiError(
        'BAD_MODEL',
        `The file predicts ${found[at]} where TensorFlow predicts ${value}`,
        { remedy: 'Export it for TensorFlow.js instead: `tutti export --format tfjs`.' },
      );
  }
}

/** Random numbers; words, where an embedding reads them. */
function exampleFor(model: ModelLike, shape: readonly number[]): Float32Array {
  const random = createRandom('sample');
  const words = model.layers
    .filter((layer) => layer.getClassName() === 'Embedding')
    .map((layer) => (layer as unknown as { inputDim: number }).inputDim);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return Float32Array.from({ length: size }, () =>
    words.length > 0 ? random.below(Math.min(...words)) : 2 * random.next() - 1,
  );
}

function predicted(
  { model, weights }: BuiltModel,
  values: readonly Float32Array[],
  example: Float32Array,
  shape: readonly number[],
): Float32Array {
  return tf.tidy(() => {
    const overrides = [...weights.keys()].map((target, at) => {
      const tensor = tf.tensor(values[at]!, [...target.shape]);
      return { target, property: 'read', value: () => tensor };
    });
    const input = tf.tensor(example, [1, ...shape]).cast(model.inputs[0]!.dtype);
    const outputs = overriding(overrides, () => model.apply(input, { training: false }));
    return (Array.isArray(outputs) ? outputs[0]! : outputs).dataSync().slice() as Float32Array;
  });
}
