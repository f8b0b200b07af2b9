import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createRandom, TuttiError } from '@tutti/runtime';
import type { ParameterValues, Program } from '@tutti/worker';
import { createAcceleration } from '../accelerate/index.js';
import { builtWith } from '../export/built-with.js';
import { writeTried } from '../export/write-tried.js';
import { type Recording, record, typeOf } from '../graph/recording.js';
import type { GraphBackend } from '../graph/session.js';
import { simplified } from '../graph/simplified.js';
import type { BuiltModel } from '../model/build-model.js';
import { tf } from '../tf.js';
import { overriding } from '../tfjs/overrides.js';
import { withRandom } from '../tfjs/seeded.js';
import { tidied } from '../tfjs/tidied.js';
import { anyBatch, FixedBatch } from './any-batch.js';
import { graphJson, type Port } from './graph-json.js';

/** Two sizes, so that what follows from them shows; primes, so that little else is like them. */
const [ONE, OTHER] = [7, 11];

/** How many examples the file is tried with. */
const TRIED = [1, 5];

/**
 * Writes `model.json` and `weights.bin` into `directory`, as `tf.loadGraphModel` reads them: the
 * operations of a prediction, for batches of any size, without layers. Shared weights are written in
 * full. The files get their names when a graph was loaded from them that predicts the same.
 *
 * @param program made by `defineTraining` from a `tf.LayersModel`
 * @param values the stored parameters, by name
 * @returns the path of `model.json`
 * @throws TuttiError BAD_PROGRAM for another kind of program, or a model whose prediction is no graph;
 *   STORAGE if a file cannot be written
 */
export async function exportGraphModel(
  program: Program,
  values: ParameterValues,
  directory: string,
): Promise<string> {
  const { built, weights } = builtWith(program, values);
  try {
    const files = graphOrReason(() => filesOf(built, weights));
    await writeTried(directory, files, (pathOf) => tryOut(built, weights, pathOf));
  } finally {
    built.dispose();
  }
  return resolve(directory, 'model.json');
}

/** Whatever is in its way is said of the model, which may have layers of its own. */
function graphOrReason<T>(task: () => T): T {
  try {
    return task();
  } catch (error) {
    if (error instanceof TuttiError) throw error;
    throw noGraph(error instanceof Error ? error.message : String(error), error);
  }
}

function filesOf(
  built: BuiltModel,
  values: readonly Float32Array[],
): [name: string, content: string | Uint8Array][] {
  const { inputs } = built.model;
  const open = inputs.find(({ shape }) => shape.slice(1).includes(null));
  if (open !== undefined)
    throw noGraph(`an input is [${open.shape.map((extent) => extent ?? 'any').join(', ')}]`);
  const backend = tf.backend() as unknown as GraphBackend;
  if (typeof backend.binding?.executeOp !== 'function')
    throw noGraph('it is recorded on native TensorFlow, which this process does not have');
  const [one, other] = [ONE, OTHER].map((count) => recorded(built, values, count, backend));
  const recording = anyBatch({
    ...{ one: simplified(one!), other: simplified(other!), sizes: [ONE, OTHER] },
    ...{ batch: built.weights.size, numbers: backend.binding },
  });
  const batches = (shape: readonly number[]) => [-1, ...shape.slice(1)];
  const names = [...built.weights.values()];
  const fed = recording.nodes.filter((node) => node.kind === 'input').slice(names.length);
  const ports = {
    inputs: fed.map(({ type: { dtype, shape } }, at): Port => {
      return {
        name: inputs.length === 1 ? 'x' : nameOf(inputs[at]!),
        dtype,
        shape: batches(shape),
      };
    }),
    outputs: recording.outputs.map((source, at): Port => {
      const { dtype, shape } = typeOf(recording.nodes, source);
      return { name: at === 0 ? 'Identity' : `Identity_${at}`, dtype, shape: batches(shape) };
    }),
  };
  const stored = names.map((name, at) => ({ name, bytes: bytesOf(values[at]!) }));
  const { topology, signature, weights } = graphJson(recording, stored, ports, backend.binding);
  const json = {
    ...{ format: 'graph-model', generatedBy: 'Tutti', convertedBy: null, signature },
    modelTopology: topology,
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: weights.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      },
    ],
  };
  return [
    ['weights.bin', Buffer.concat(weights.map(({ bytes }) => bytes))],
    ['model.json', JSON.stringify(json)],
  ];
}

const nameOf = ({ sourceLayer }: BuiltModel['model']['inputs'][number]) => sourceLayer.name;
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

function recorded(
  built: BuiltModel,
  values: readonly Float32Array[],
  count: number,
  backend: GraphBackend,
): Recording {
  return tidied(() => {
    const weights = weightTensors(built, values);
    const inputs = samples(built, count);
    const task = () => predicted(built, weights, inputs);
    const acceleration = createAcceleration(tf);
    // tfjs reads some values out: indices, to look whether they are in range.
    const traced = () => acceleration.run(() => acceleration.recording(task));
    // The first time is for what a layer makes once and keeps.
    traced();
    const recording = record(backend, [...weights, ...inputs], traced);
    if (recording.captured.length > 0)
      throw new FixedBatch('it reads tensors that are neither weights nor inputs');
    return recording;
  });
}

const weightTensors = ({ weights }: BuiltModel, values: readonly Float32Array[]) =>
  [...weights.keys()].map((variable, at) => tf.tensor(values[at]!, [...variable.shape]));

/** What goes in: an embedding reads it as zeros, which are in every vocabulary. */
const samples = ({ model }: BuiltModel, count: number) =>
  withRandom(createRandom('sample'), () =>
    model.inputs.map(({ shape, dtype }) =>
      tf.randomUniform([count, ...(shape.slice(1) as number[])], -1, 1).cast(dtype),
    ),
  );

function predicted(
  { model, weights }: BuiltModel,
  tensors: readonly tf.Tensor[],
  inputs: tf.Tensor[],
): tf.Tensor[] {
  const overrides = [...weights.keys()].map((target, at) => ({
    ...{ target, property: 'read' },
    value: () => tensors[at]!,
  }));
  return overriding(overrides, () => {
    const given = inputs.length === 1 ? inputs[0]! : inputs;
    return [model.apply(given, { training: false })].flat();
  });
}

/** Loads the files, and compares what they predict for other numbers of examples. */
async function tryOut(
  built: BuiltModel,
  values: readonly Float32Array[],
  pathOf: (name: string) => string,
): Promise<void> {
  const { modelTopology, weightsManifest, signature, format } = JSON.parse(
    await readFile(pathOf('model.json'), 'utf8'),
  );
  const weightData = Uint8Array.from(await readFile(pathOf('weights.bin'))).buffer;
  const weightSpecs = weightsManifest[0].weights;
  try {
    const loaded = await tf.loadGraphModel(
      tf.io.fromMemory({ modelTopology, weightSpecs, weightData, signature, format }),
    );
    try {
      for (const count of TRIED)
        tidied(() => {
          const inputs = samples(built, count);
          const wanted = predicted(built, weightTensors(built, values), inputs);
          const found = [loaded.predict(inputs.length === 1 ? inputs[0]! : inputs)].flat();
          compare(found as tf.Tensor[], wanted);
        });
    } finally {
      loaded.dispose();
    }
  } catch (error) {
    if (error instanceof TuttiError) throw error;
    throw noGraph(error instanceof Error ? error.message : String(error), error);
  }
}

function compare(found: readonly tf.Tensor[], wanted: readonly tf.Tensor[]): void {
  for (const [at, output] of wanted.entries()) {
    if (found[at]?.shape.join() !== output.shape.join())
      throw noGraph(`output ${at} is [${found[at]?.shape}] in place of [${output.shape}]`);
    const [mine, theirs] = [output, found[at]!].map((each) => [...each.dataSync()]) as [
      number[],
      number[],
    ];
    const scale = mine.reduce((most, each) => Math.max(most, Math.abs(each)), 1);
    const different = mine.findIndex((value, i) => !(Math.abs(value - theirs[i]!) <= 1e-6 * scale));
    if (different >= 0)
      throw noGraph(`it predicts ${theirs[different]} in place of ${mine[different]}`);
  }
}

function noGraph(why: string, cause?: unknown): TuttiError {
  return new TuttiError('BAD_PROGRAM', `The model cannot be exported as a graph: ${why}`, {
    remedy: 'Export it as layers: --format tfjs, which tf.loadLayersModel reads.',
    cause,
  });
}
