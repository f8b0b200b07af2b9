import {
  ACTIVATION_NAMES,
  ACTIVATIONS,
  BODY_AT,
  CHECKSUM_AT,
  crc32,
  DRAWN_VERSION,
  LAYER_KINDS,
  LAYER_NAMES,
  type LayerKind,
  MAGIC,
  MAX_VALUES,
  product,
  type Shape,
} from '@tutti/edge/internal';
import { TuttiError } from '@tutti/runtime';
import { type ByteWriter, createByteWriter } from './byte-writer.js';
import {
  encodeDrawn,
  encodeTensor,
  isDrawn,
  type Precision,
  type Weight,
} from './encode-tensor.js';

export interface ActivationSpec {
  readonly name: (typeof ACTIVATION_NAMES)[number];
  readonly argument?: number;
}

/** One layer, in the words of `@tutti/edge`. */
export interface LayerSpec {
  readonly kind: keyof typeof LAYER_NAMES;
  /** Which results it reads: 0 the example, k that of layer k, counted from 1. The last one, if not given. */
  readonly inputs?: readonly number[];
  readonly numbers?: readonly number[];
  readonly activations?: readonly ActivationSpec[];
  readonly weights?: readonly Weight[];
}

export interface ModelSpec {
  /** The shape of one example. */
  readonly input: Shape;
  readonly layers: readonly LayerSpec[];
}

export interface Precisions {
  /** For weights with two dimensions or more. */
  readonly kernels?: Precision;
  /** For the others. */
  readonly biases?: Precision;
}

export interface WrittenModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of each layer. */
  readonly layerBytes: readonly number[];
}

/**
 * A model as the bytes of a .tutti file.
 * @throws TuttiError BAD_MODEL for what the file has no words or no room for
 */
export function writeModel(
  { input, layers }: ModelSpec,
  precisions: Precisions = {},
): WrittenModel {
  const writer = createByteWriter();
  writeExtents(writer, input);
  writer.varint(layers.length);
  const shapes: Shape[] = [input];
  let values = product(input);
  const parts = layers.map((spec) => {
    const part = createByteWriter();
    const { shape, weights = [] } = writeHead(part, spec, shapes);
    const given = spec.weights ?? [];
    if (given.length !== weights.length)
      throw refused(`${spec.kind} has ${given.length} weights instead of ${weights.length}`);
    for (const [at, wanted] of weights.entries())
      values += writeWeight(part, spec.kind, at, given[at]!, wanted, precisions);
    values += product(shape);
    shapes.push(shape);
    return part.bytes();
  });
  if (values > MAX_VALUES)
    throw refused(
      `The model has ${values} weights and intermediate values, but a file at most ${MAX_VALUES}`,
    );
  const body = Uint8Array.from([writer.bytes(), ...parts].flatMap((part) => [...part]));
  const version = layers.some(({ weights }) => weights?.some(isDrawn)) ? DRAWN_VERSION : 1;
  return {
    bytes: framed(body, version),
    layerBytes: parts.map(({ length }) => length),
  };
}

/** @returns how many values a reader holds for it */
function writeWeight(
  writer: ByteWriter,
  kind: LayerSpec['kind'],
  at: number,
  weight: Weight,
  shape: Shape,
  { kernels = 'exact', biases = 'exact' }: Precisions,
): number {
  const name = `Weight ${at} of ${kind}`;
  const values = isDrawn(weight) ? weight.stored : weight;
  const size = product(shape);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw refused(`A weight of ${kind} is ${values[wrong]}`);
  const precision = shape.length > 1 ? kernels : biases;
  if (!isDrawn(weight)) {
    if (values.length !== size)
      throw refused(`${name} has ${values.length} values instead of [${shape.join(', ')}]`);
    encodeTensor(writer, values, shape.at(-1)!, precision);
    return size;
  }
  const { block, turned } = weight;
  if (values.length === 0 || values.length % block !== 0)
    throw refused(`${name} has ${values.length} stored values in rows of ${block}`);
  encodeDrawn(writer, weight, precision);
  const isLookedUp = LAYER_NAMES[kind].looksUp === true && !turned;
  return values.length + (isLookedUp ? Math.ceil(size / block) : size);
}

/** @param version the first that has all that is written, so that older readers go on as long as they can */
function framed(body: Uint8Array, version: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(BODY_AT + body.length);
  bytes.set([...MAGIC, version]);
  bytes.set(body, BODY_AT);
  new DataView(bytes.buffer).setUint32(CHECKSUM_AT, crc32(body), true);
  return bytes;
}

function writeHead(writer: ByteWriter, spec: LayerSpec, shapes: readonly Shape[]) {
  const kind: LayerKind = LAYER_NAMES[spec.kind];
  const known = shapes.length;
  const inputs = spec.inputs ?? [known - 1];
  const { numbers = [], activations = [] } = spec;
  writer.byte(LAYER_KINDS.indexOf(kind));
  const isLast = inputs.length === 1 && inputs[0] === known - 1;
  writer.varint(isLast ? 0 : inputs.length);
  if (!isLast) for (const at of inputs) writer.varint(known - at);
  if (kind.numbers === 'list') writeExtents(writer, numbers);
  else for (const each of numbers) writer.varint(each);
  const opened = activations.map(({ name, argument }) => {
    const code = ACTIVATION_NAMES.indexOf(name);
    const [create, takesArgument] = ACTIVATIONS[code]!;
    writer.byte(code);
    if (takesArgument) writer.float32(argument!);
    return create(argument ?? 0);
  });
  return kind.open(
    inputs.map((at) => shapes[at]!),
    numbers,
    opened,
  );
}

function writeExtents(writer: ByteWriter, shape: Shape): void {
  writer.varint(shape.length);
  for (const extent of shape) writer.varint(extent);
}

function refused(message: string): TuttiError {
  return new TuttiError('BAD_MODEL', message, {
    remedy: 'Export it for TensorFlow.js instead: `tutti export --format tfjs`.',
  });
}
