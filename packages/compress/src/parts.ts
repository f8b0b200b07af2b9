import {
  BY_COLUMNS,
  MADE,
  PART_KINDS,
  type PartKind,
  product,
  type Shape,
} from '@tutti/edge/internal';
import type { ByteWriter } from './byte-writer.js';
import {
  type DrawnWeight,
  encodeDrawn,
  encodeStored,
  encodeTensor,
  encodeWhole,
  isDrawn,
  type Precision,
} from './encode-tensor.js';

/** What weights are made of, in the words of `@tutti/edge`. Who reads it twice names the same object twice. */
export type PartSpec = TensorPart | ViewPart | ComputedPart;

/** A tensor that stands in the file. */
export interface TensorPart {
  readonly shape: Shape;
  readonly values: Float32Array | DrawnWeight;
  /** Numbers that are never rounded, whatever reads them: `whole` ones say which value is read. */
  readonly exact?: 'whole' | 'any';
}

/** The values of another in another shape, or, by columns, those of the transpose of a matrix. */
export interface ViewPart {
  readonly shape: Shape;
  readonly of: PartSpec;
  readonly byColumns?: boolean;
}

export interface ComputedPart {
  readonly kind: keyof typeof PART_KINDS;
  readonly operands: readonly PartSpec[];
  readonly numbers?: readonly number[];
}

/** A weight that is made of parts. */
export interface MadeWeight {
  readonly part: PartSpec;
  /** Whether it is the transpose of that matrix. */
  readonly byColumns?: boolean;
  /** The same weight alone. */
  readonly alone: Float32Array | DrawnWeight;
}

/** A weight in full, or as it is drawn from fewer values, or as it is made of what others are made of, too. */
export type Weight = Float32Array | DrawnWeight | MadeWeight;

export const isMade = (weight: Weight): weight is MadeWeight => 'part' in weight;

const operandsOf = (part: PartSpec): readonly PartSpec[] =>
  'values' in part ? [] : 'of' in part ? [part.of] : part.operands;

/** Every part of some, itself after what it is made of. */
function partsOf(wanted: Iterable<PartSpec>): Set<PartSpec> {
  const found = new Set<PartSpec>();
  const visit = (part: PartSpec) => {
    if (found.has(part)) return;
    operandsOf(part).forEach(visit);
    found.add(part);
  };
  for (const part of wanted) visit(part);
  return found;
}

/** A part with what follows from those that it is made of. */
interface OpenedPart {
  /** Its place among those of the file. */
  readonly number: number;
  readonly shape: Shape;
  /** How many values a reader holds for it. */
  readonly held: number;
  /** Whether its elements are made for each who reads them. */
  readonly isLazy: boolean;
}

/** The parts of a file by what they are, in the order of the file. */
export type OpenedParts = ReadonlyMap<PartSpec, OpenedPart>;

/**
 * @param wanted those that weights are made of
 * @throws EdgeError BAD_MODEL for parts that do not fit each other
 */
export function openParts(wanted: Iterable<PartSpec>): OpenedParts {
  const opened = new Map<PartSpec, OpenedPart>();
  for (const part of partsOf(wanted)) opened.set(part, { number: opened.size, ...open(part) });
  return opened;

  function open(part: PartSpec): Omit<OpenedPart, 'number'> {
    if ('kind' in part) return openComputed(part);
    const { shape } = part;
    const size = product(shape);
    if ('values' in part) {
      const isLazy = isDrawn(part.values) && !part.values.turned;
      return { shape, held: heldFor(part.values, size, true), isLazy };
    }
    const isLazy = !part.byColumns && opened.get(part.of)!.isLazy;
    return { shape, held: part.byColumns ? size : 0, isLazy };
  }

  function openComputed({ kind, operands, numbers = [] }: ComputedPart) {
    const known: PartKind = PART_KINDS[kind];
    const read = operands.map((each) => opened.get(each)!);
    const shapes = read.map((each) => each.shape);
    const { shape, work = 0, held = shape } = known.open(shapes, numbers);
    const made = read.filter((each) => each.isLazy).map((each) => each.shape);
    return {
      shape,
      held: [held, ...made].map(product).reduce((a, b) => a + b, work),
      isLazy: product(held) < product(shape),
    };
  }
}

/**
 * How many values a reader holds for a tensor that is made of nothing else.
 * @param isLookedUp whether parts of it may be read without the others
 */
export function heldFor(
  values: Float32Array | DrawnWeight,
  size: number,
  isLookedUp: boolean,
): number {
  if (!isDrawn(values)) return size;
  const { stored, block, turned } = values;
  return stored.length + (isLookedUp && !turned ? Math.ceil(size / block) : size);
}

/** @param precisionOf how the values of a tensor are written */
export function writeParts(
  writer: ByteWriter,
  parts: OpenedParts,
  precisionOf: (part: PartSpec) => Precision,
): void {
  for (const [part, { number, shape }] of parts) {
    if ('kind' in part) {
      const { operands, numbers = [] } = part;
      const kind: PartKind = PART_KINDS[part.kind];
      writer.byte(Object.keys(PART_KINDS).indexOf(part.kind) + 1);
      if (kind.operands === undefined) writer.varint(operands.length);
      for (const each of operands) writer.varint(number - parts.get(each)!.number);
      if (kind.numbers === 'list') writer.varint(numbers.length);
      for (const each of numbers) writer.varint(each);
      continue;
    }
    writer.byte(0);
    writer.varint(shape.length);
    for (const extent of shape) writer.varint(extent);
    if ('values' in part) writeTensor(writer, part, precisionOf(part));
    else {
      writer.byte(MADE | (part.byColumns ? BY_COLUMNS : 0));
      writer.varint(parts.get(part.of)!.number);
    }
  }
}

function writeTensor(
  writer: ByteWriter,
  { shape, values, exact }: TensorPart,
  rounded: Precision,
): void {
  const precision = exact ? 'exact' : rounded;
  if (isDrawn(values)) encodeDrawn(writer, values, precision);
  else if (exact === 'whole') encodeWhole(writer, values);
  else if (shape.length === 2 && shape[0]! > 1) encodeTensor(writer, values, shape[1]!, precision);
  else encodeStored(writer, values, precision);
}
