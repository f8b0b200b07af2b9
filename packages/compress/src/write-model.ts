import {
  ACTIVATION_NAMES,
  ACTIVATIONS,
  BODY_AT,
  BY_COLUMNS,
  CHECKSUM_AT,
  crc32,
  DRAWN_VERSION,
  LAYER_KINDS,
  LAYER_NAMES,
  type LayerKind,
  MADE,
  MAGIC,
  MAX_VALUES,
  PARTS_VERSION,
  product,
  type Shape,
} from '@tutti/edge/internal';
import { type ByteWriter, createByteWriter } from './byte-writer.js';
import {
  type DrawnWeight,
  encodeDrawn,
  encodeTensor,
  isDrawn,
  type Precision,
} from './encode-tensor.js';
import {
  type LayerSpec,
  type ModelSpec,
  type OpenedLayer,
  openLayers,
  type PlacedWeight,
  refused,
  weightsOf,
} from './model-spec.js';
import {
  heldFor,
  isMade,
  type OpenedParts,
  openParts,
  type PartSpec,
  writeParts,
} from './parts.js';

export interface Precisions {
  /** For weights with two dimensions or more. */
  readonly kernels?: Precision | undefined;
  /** For the others. */
  readonly biases?: Precision | undefined;
}

export interface WrittenModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of each layer. */
  readonly layerBytes: readonly number[];
  /** Whether readers are to be given `sharing` of `@tutti/edge/sharing`. */
  readonly needsSharing: boolean;
}

/**
 * A model as the bytes of a .tutti file.
 * @throws TuttiError BAD_MODEL for what the file has no words or no room for
 */
export function writeModel(model: ModelSpec, precisions: Precisions = {}): WrittenModel {
  const { input, layers } = model;
  const opened = openLayers(model);
  const weights = weightsOf(opened);
  const parts = openParts(weights.flatMap(({ weight }) => (isMade(weight) ? [weight.part] : [])));
  const held = heldBy(input, opened, parts);
  if (held > MAX_VALUES)
    throw refused(
      `The model has ${held} weights and intermediate values, but a file at most ${MAX_VALUES}`,
    );
  const writer = createByteWriter();
  writeExtents(writer, input);
  if (parts.size > 0) {
    // To who knows no parts this says that there are no layers, but something that follows.
    writer.varint(0);
    writer.varint(parts.size);
    for (const part of parts.keys())
      if ('values' in part) checkFinite(part.values, 'A stored tensor');
    writeParts(writer, parts, precisionsOf(weights, precisions));
  }
  writer.varint(layers.length);
  const bodies = opened.map((layer, at) => {
    const body = createByteWriter();
    writeHead(body, layer.spec, at + 1);
    for (const each of weightsOf([layer])) writeWeight(body, each, parts, precisions);
    return body.bytes();
  });
  const body = Uint8Array.from([writer.bytes(), ...bodies].flatMap((part) => [...part]));
  const isDrawnSomewhere = weights.some(({ weight }) => isDrawn(weight));
  const version = parts.size > 0 ? PARTS_VERSION : isDrawnSomewhere ? DRAWN_VERSION : 1;
  return {
    bytes: framed(body, version),
    layerBytes: bodies.map(({ length }) => length),
    needsSharing: [...parts.keys()].some((part) => 'kind' in part),
  };
}

/** How many values a reader holds for a model: it counts as this does. */
export function heldBy(input: Shape, layers: readonly OpenedLayer[], parts: OpenedParts): number {
  const ofParts = [...parts.values()].map(({ held }) => held);
  const results = [input, ...layers.map(({ shape }) => shape)].map(product);
  const ofWeights = weightsOf(layers).map(({ weight, shape, isLookedUp }) => {
    const size = product(shape);
    if (!isMade(weight)) return heldFor(weight, size, isLookedUp);
    return isLookedUp && !weight.byColumns ? 0 : size;
  });
  return [...ofParts, ...results, ...ofWeights].reduce((a, b) => a + b, 0);
}

/** Writes a weight that is made of nothing else. */
export function writeAlone(
  writer: ByteWriter,
  { name, shape }: PlacedWeight,
  weight: Float32Array | DrawnWeight,
  { kernels = 'exact', biases = 'exact' }: Precisions,
): void {
  checkFinite(weight, name);
  const precision = shape.length > 1 ? kernels : biases;
  if (isDrawn(weight)) {
    const { stored, block } = weight;
    if (stored.length === 0 || stored.length % block !== 0)
      throw refused(`${name} has ${stored.length} stored values in rows of ${block}`);
    encodeDrawn(writer, weight, precision);
  } else {
    if (weight.length !== product(shape))
      throw refused(`${name} has ${weight.length} values instead of [${shape.join(', ')}]`);
    encodeTensor(writer, weight, shape.at(-1)!, precision);
  }
}

function writeWeight(
  writer: ByteWriter,
  placed: PlacedWeight,
  parts: OpenedParts,
  precisions: Precisions,
): void {
  const { weight, name, shape } = placed;
  if (!isMade(weight)) {
    writeAlone(writer, placed, weight, precisions);
    return;
  }
  const part = parts.get(weight.part)!;
  if (product(part.shape) !== product(shape))
    throw refused(`${name} is made of [${part.shape.join(', ')}] instead of [${shape.join(', ')}]`);
  writer.byte(MADE | (weight.byColumns ? BY_COLUMNS : 0));
  writer.varint(part.number);
}

/** What stored tensors are rounded to: as the kernels that read them, if any does. */
export function precisionsOf(
  weights: readonly PlacedWeight[],
  { kernels = 'exact', biases = 'exact' }: Precisions,
): (part: PartSpec) => Precision {
  const ofKernels = openParts(
    weights.flatMap(({ weight, shape }) =>
      isMade(weight) && shape.length > 1 ? [weight.part] : [],
    ),
  );
  return (part) => (ofKernels.has(part) ? kernels : biases);
}

function checkFinite(weight: Float32Array | DrawnWeight, name: string): void {
  const values = isDrawn(weight) ? weight.stored : weight;
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw refused(`${name} has the value ${values[wrong]}`);
}

/** @param version the first that has all that is written, so that older readers go on as long as they can */
function framed(body: Uint8Array, version: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(BODY_AT + body.length);
  bytes.set([...MAGIC, version]);
  bytes.set(body, BODY_AT);
  new DataView(bytes.buffer).setUint32(CHECKSUM_AT, crc32(body), true);
  return bytes;
}

function writeHead(writer: ByteWriter, spec: LayerSpec, known: number): void {
  const kind: LayerKind = LAYER_NAMES[spec.kind];
  const { numbers = [], activations = [], inputs = [known - 1] } = spec;
  writer.byte(LAYER_KINDS.indexOf(kind));
  const isLast = inputs.length === 1 && inputs[0] === known - 1;
  writer.varint(isLast ? 0 : inputs.length);
  if (!isLast) for (const at of inputs) writer.varint(known - at);
  if (kind.numbers === 'list') writeExtents(writer, numbers);
  else for (const each of numbers) writer.varint(each);
  for (const { name, argument } of activations) {
    const code = ACTIVATION_NAMES.indexOf(name);
    writer.byte(code);
    if (ACTIVATIONS[code]![1]) writer.float32(argument!);
  }
}

function writeExtents(writer: ByteWriter, shape: Shape): void {
  writer.varint(shape.length);
  for (const extent of shape) writer.varint(extent);
}
