import { checkKeys, showValue } from '@tutti/runtime';
import { badData } from '../../contract/bad-data.js';
import { product } from '../../contract/indices.js';
import { badOption, checkNumbers } from '../../contract/options.js';
import { createDecoder } from '../../files/elements.js';
import { createImageDecoder, type ImagePlace, type ImageSize } from '../images/images.js';
import type { Feature, Features } from './tfrecord-example.js';

interface Common {
  /** The key in the tf.train.Example. */
  readonly feature: string;
  /** Values are multiplied by this and become float32. */
  readonly scale?: number | undefined;
}

/** What a field is made of. `shape` is that of one example; [] (the default) is one number. */
export type TfrecordField =
  /** Numbers, read as float32. */
  | (Common & { readonly type: 'float'; readonly shape?: readonly number[] })
  /** Integers, read as int32; with `classes`, each must be from 0 to classes - 1. */
  | (Common & {
      readonly type: 'int64';
      readonly shape?: readonly number[];
      readonly classes?: number;
    })
  /** One string of bytes, read as uint8. */
  | (Common & { readonly type: 'bytes'; readonly shape: readonly number[] })
  /** An encoded image, read as float32 times `scale` (default 1/255). */
  | (Common & { readonly type: 'image' } & ImageSize);

/** Reads one field out of parsed examples. */
export interface FieldReader {
  readonly shape: readonly number[];
  /** Room for `count` examples. */
  create(count: number): Float32Array | Int32Array | Uint8Array;
  /** Writes the values of an example as number `at` of `target`. */
  read(
    features: Features,
    target: Float32Array | Int32Array | Uint8Array,
    at: number,
    place: ImagePlace,
  ): Promise<void>;
}

const COMMON = { feature: true, type: true, scale: true } as const;

/** The keys of a field, by its type. */
const KEYS = {
  float: { ...COMMON, shape: true },
  int64: { ...COMMON, shape: true, classes: true },
  bytes: { ...COMMON, shape: true },
  image: { ...COMMON, width: true, height: true, channels: true },
} as const satisfies {
  [Type in TfrecordField['type']]: Record<keyof Extract<TfrecordField, { type: Type }>, true>;
};

/**
 * @param name of the field, for errors
 * @throws TuttiError BAD_PROGRAM for what makes no sense
 */
export async function createFieldReader(name: string, field: TfrecordField): Promise<FieldReader> {
  checkField(name, field);
  const { feature: key, scale } = field;
  if (field.type === 'bytes' || field.type === 'image') {
    const isImage = field.type === 'image';
    const shape = isImage ? [field.height, field.width, field.channels] : field.shape;
    const length = product(shape);
    const decoder = createDecoder(
      { kind: 'uint8', littleEndian: true },
      { scale: scale ?? (isImage ? 1 / 255 : undefined) },
    );
    const decodeImage = isImage ? await createImageDecoder(field) : undefined;
    return {
      shape,
      create: (count) => decoder.create(count * length),
      async read(features, target, at, place) {
        const values = valuesOf(features, key, 'bytesList', place);
        requireLength(values.length, 1, key, 'strings of bytes', place);
        const bytes = decodeImage ? await decodeImage(values[0]!, place) : values[0]!;
        requireLength(bytes.length, length, key, 'bytes', place);
        decoder.decode(bytes, 0, length, target, at * length);
      },
    };
  }
  const { shape = [] } = field;
  const length = product(shape);
  const list = field.type === 'float' ? 'floatList' : 'int64List';
  const float = field.type === 'float' || scale !== undefined;
  const classes = field.type === 'int64' ? field.classes : undefined;
  return {
    shape,
    create: (count) => (float ? new Float32Array(count * length) : new Int32Array(count * length)),
    async read(features, target, at, place) {
      const values = valuesOf(features, key, list, place);
      requireLength(values.length, length, key, 'numbers', place);
      for (let i = 0; i < length; i++) {
        const stored = values[i]!;
        const value = typeof stored === 'number' ? stored : stored.toNumber();
        if (field.type === 'int64') requireLabel(value, classes, key, place);
        target[at * length + i] = scale === undefined ? value : value * scale;
        if (Number.isFinite(value) && !Number.isFinite(target[at * length + i]!))
          throw badData(
            `the number ${value} of feature ${key} times ${scale} does not fit into float32`,
            'Give another `scale`.',
            { ...place, found: value },
          );
      }
    },
  };
}

/** Programs run without a check of their types. */
function checkField(name: string, field: TfrecordField): void {
  const called = `field ${name} of tfrecord()`;
  const { feature, type } = (field ?? {}) as Partial<TfrecordField>;
  if (typeof type !== 'string' || !Object.hasOwn(KEYS, type))
    throw badOption(
      `the type of ${called} is ${showValue(type)}`,
      `Give one of ${Object.keys(KEYS).join(', ')}.`,
    );
  checkKeys<object>(called, field, KEYS[type]);
  if (typeof feature !== 'string')
    throw badOption(
      `the feature of ${called} is ${showValue(feature)}`,
      'Name one of those that the records have.',
    );
  checkNumbers(called, field);
  if (field.type === 'bytes' && field.shape === undefined)
    throw badOption(`${called} has no shape`, 'Give that of one example, such as [28, 28, 1].');
}

function valuesOf<List extends keyof Feature>(
  features: Features,
  key: string,
  list: List,
  place: ImagePlace,
): NonNullable<NonNullable<Feature[List]>['value']> {
  const feature = Object.hasOwn(features, key) ? features[key] : undefined;
  if (feature === undefined) {
    const found = Object.keys(features);
    throw badData(
      `the record has no feature ${key}, only ${found.join(', ') || 'none at all'}`,
      'Name a feature that every record has.',
      { ...place, expected: key, found },
    );
  }
  const values = feature[list]?.value;
  if (values === undefined) {
    const found = Object.keys(feature).join() || 'nothing';
    throw badData(
      `feature ${key} holds ${found}, not ${list}`,
      'Set the `type` of the field to what the records hold: float, int64 or bytes.',
      { ...place, expected: list, found },
    );
  }
  return values as NonNullable<NonNullable<Feature[List]>['value']>;
}

function requireLength(
  found: number,
  expected: number,
  key: string,
  what: string,
  place: ImagePlace,
) {
  if (found === expected) return;
  throw badData(
    `feature ${key} has ${found} ${what}, expected ${expected}`,
    'Set the `shape` of the field to that of one example; every example must have the same.',
    { ...place, expected, found },
  );
}

function requireLabel(value: number, classes: number | undefined, key: string, place: ImagePlace) {
  const [least, most] = classes === undefined ? [-(2 ** 31), 2 ** 31 - 1] : [0, classes - 1];
  if (value >= least && value <= most) return;
  throw badData(
    `${classes === undefined ? 'number' : 'label'} ${value} of feature ${key} is not one of ${least} to ${most}`,
    classes === undefined
      ? 'Store numbers that fit into 32 bits.'
      : 'Correct the label, or set `classes` to the number of classes.',
    { ...place, found: value, least, most },
  );
}
