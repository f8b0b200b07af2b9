import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import type { Tensor } from '@tutti/checkpoint';
import { badCheckpoint } from '@tutti/checkpoint/internal';
import type { StoredParameter } from '@tutti/protocol';

const MODEL_FILE = 'model.json';
const REMEDY =
  'Save it anew with model.save("file://folder") or `tutti export`, in float32, and name that folder.';

/** What a manifest says of one weight. */
interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: unknown;
}

/** The `model.json` of a saved tf.LayersModel, if a path names it or its folder. */
export async function modelFileAt(path: string): Promise<string | undefined> {
  const file = basename(path) === MODEL_FILE ? path : join(path, MODEL_FILE);
  return stat(file).then(
    (found) => (found.isFile() ? file : undefined),
    () => undefined,
  );
}

/**
 * The weights of a saved tf.LayersModel. Where it names its layers otherwise than the program does
 * (tfjs counts all that a process has built: `dense_Dense3/kernel`), they are taken in their order,
 * if all shapes agree.
 * @throws TuttiError BAD_CHECKPOINT for files that are missing, too short or outside of its folder, and
 *   for weights that are not float32
 */
export async function readLayersModelWeights(
  file: string,
  parameters: readonly StoredParameter[],
): Promise<readonly Tensor[]> {
  // Unnamed wait: the caller races it.
  const tensors = await tensorsIn(file);
  const names = new Set(parameters.map(({ name }) => name));
  if (tensors.some(({ name }) => names.has(name))) return tensors;
  // tfjs lists what no gradient moves after all that is trained.
  const isAverage = ({ update }: StoredParameter) => update === 'average';
  const order = [...parameters.filter((each) => !isAverage(each)), ...parameters.filter(isAverage)];
  const fits =
    tensors.length === order.length &&
    tensors.every(({ shape }, at) => shape.join() === order[at]!.shape.join());
  return fits ? tensors.map((tensor, at) => ({ ...tensor, name: order[at]!.name })) : tensors;
}

async function tensorsIn(file: string): Promise<Tensor[]> {
  const tensors: Tensor[] = [];
  // Unnamed wait: the caller races it.
  for (const { paths, weights } of await manifestOf(file)) {
    // Unnamed wait: the caller races it.
    const bytes = Buffer.concat(await Promise.all(paths.map((path) => readBeside(file, path))));
    let at = 0;
    for (const { name, shape, dtype, quantization } of weights) {
      if (dtype !== 'float32' || quantization !== undefined)
        throw badCheckpoint(
          file,
          `its "${name}" is ${quantization === undefined ? dtype : 'quantized'}`,
          REMEDY,
        );
      const size = shape.reduce((product, extent) => product * extent, 1);
      if (at + 4 * size > bytes.length)
        throw badCheckpoint(file, `its files end within "${name}"`, REMEDY);
      const values = new Float32Array(size);
      new Uint8Array(values.buffer).set(bytes.subarray(at, at + 4 * size));
      tensors.push({ name, shape: [...shape], values });
      at += 4 * size;
    }
  }
  return tensors;
}

async function manifestOf(
  file: string,
): Promise<readonly { readonly paths: readonly string[]; readonly weights: readonly Entry[] }[]> {
  try {
    // Unnamed wait: the caller races it.
    const { weightsManifest } = JSON.parse(await readFile(file, 'utf8'));
    const whole =
      Array.isArray(weightsManifest) &&
      weightsManifest.every(({ paths, weights }) => Array.isArray(paths) && Array.isArray(weights));
    if (whole) return weightsManifest;
  } catch (error) {
    throw badCheckpoint(file, (error as Error).message, REMEDY);
  }
  throw badCheckpoint(file, 'it lists no weights of a tf.LayersModel', REMEDY);
}

/** A manifest may name anything: what is not in its folder is not read. */
async function readBeside(file: string, path: string): Promise<Buffer> {
  try {
    // Unnamed wait: the caller races it.
    const folder = await realpath(dirname(file));
    // Unnamed wait: the caller races it.
    const found = await realpath(join(folder, path));
    // Unnamed wait: the caller races it.
    if (found.startsWith(folder + sep)) return await readFile(found);
  } catch (error) {
    throw badCheckpoint(file, `its ${path} cannot be read: ${(error as Error).message}`, REMEDY);
  }
  throw badCheckpoint(file, `it names ${path}, outside of its folder`, REMEDY);
}
