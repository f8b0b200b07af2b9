import { badData } from './bad-data.js';
import type { Batch, Field } from './dataset.js';
import { product } from './indices.js';

/** Where a field comes from, for errors. */
export interface FieldOrigin {
  /** Follows the name of the field: "of the training data". */
  readonly of?: string;
  /** The examples of a batch, by their place in the data set; numbered from 0 if not given. */
  readonly indices?: ArrayLike<number>;
}

const INT32 = { least: -(2 ** 31), most: 2 ** 31 - 1 };

/**
 * Holds a field to its contract: one of three kinds of number, in the shape that it says.
 *
 * float32, int32 and uint8 stay what they are, without a copy. float64, plain numbers and booleans
 * become float32 (7 digits); all other integers int32.
 * @throws TuttiError BAD_DATA naming the field, and the example whose value is no number or does not
 *   fit
 */
export function toField(name: string, given: unknown, origin: FieldOrigin = {}): Field {
  const called = origin.of === undefined ? `field ${name}` : `field ${name} ${origin.of}`;
  const { data, shape } = (given ?? {}) as { data?: unknown; shape?: unknown };
  if (!isList(data) || !Array.isArray(shape))
    throw badData(
      `${called} has no data, which is an array of numbers, or no shape`,
      `Write { ${name}: { data: …, shape: [examples, …] } }.`,
      { field: name },
    );
  if (shape.length === 0 || !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0))
    throw badData(
      `the shape of ${called} is [${shape.map(String).join(', ')}]`,
      'Give whole numbers, the first the number of examples.',
      { field: name, shape },
    );
  if (product(shape) !== data.length)
    throw badData(
      `${called} has ${data.length} values, but its shape [${shape}] holds ${product(shape)}`,
      'Give the shape of the whole array, its first entry the number of examples.',
      { field: name, length: data.length, shape },
    );
  const unfit = (at: number, what: string, remedy: string) => {
    const row = Math.floor((at * shape[0]!) / data.length);
    const example = origin.indices?.[row] ?? row;
    const element = at - (row * data.length) / shape[0]!;
    const place = shape.length === 1 ? '' : ` (element ${element})`;
    return badData(`${called} is ${what} in example ${example}${place}`, remedy, {
      field: name,
      example,
      element,
    });
  };
  return { data: converted(data, unfit), shape: [...shape] };
}

/**
 * Holds what a data set read to its contract.
 * @throws TuttiError BAD_DATA as `toField`, or if there are other than `indices.length` examples
 */
export function toBatch(
  given: unknown,
  { of, indices }: FieldOrigin & { readonly indices: ArrayLike<number> },
): Batch {
  if (typeof given !== 'object' || given === null || ArrayBuffer.isView(given))
    throw badData(
      `no fields were read ${of ?? ''}`.trim(),
      'Let read() resolve with { x: { data: …, shape: [examples, …] }, … }.',
    );
  return Object.fromEntries(
    Object.entries(given).map(([name, each]) => {
      const field = toField(name, each, { ...(of === undefined ? {} : { of }), indices });
      if (field.shape[0] === indices.length) return [name, field];
      throw badData(
        `field ${name}${of === undefined ? '' : ` ${of}`} has ${field.shape[0]} examples, but ${indices.length} were asked for`,
        'Give as many examples as there are indices: the first dimension of every field.',
        { field: name, expected: indices.length, found: field.shape[0] },
      );
    }),
  );
}

type Unfit = (at: number, what: string, remedy: string) => Error;

function isList(data: unknown): data is ArrayLike<unknown> {
  return Array.isArray(data) || (ArrayBuffer.isView(data) && !(data instanceof DataView));
}

function converted(data: ArrayLike<unknown>, unfit: Unfit): Field['data'] {
  if (data instanceof Float32Array || data instanceof Int32Array) return data;
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray)
    // A Buffer is one, too, but makes others in its own way.
    return data.constructor === Uint8Array
      ? data
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
  if (data instanceof Int8Array || data instanceof Int16Array || data instanceof Uint16Array)
    return Int32Array.from(data);
  if (
    data instanceof Uint32Array ||
    data instanceof BigInt64Array ||
    data instanceof BigUint64Array
  )
    return integers(data, unfit);
  return floats(data, unfit);
}

function integers(data: ArrayLike<number | bigint>, unfit: Unfit): Int32Array {
  const values = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value < INT32.least || value > INT32.most)
      throw unfit(
        i,
        `${value}, which does not fit into 32 bits,`,
        `Give integers from ${INT32.least} to ${INT32.most}, or floating-point numbers.`,
      );
    values[i] = Number(value);
  }
  return values;
}

function floats(data: ArrayLike<unknown>, unfit: Unfit): Float32Array {
  const values = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (typeof value !== 'number' && typeof value !== 'boolean')
      throw unfit(
        i,
        `${typeof value === 'string' ? JSON.stringify(value) : described(value)}, no number,`,
        Array.isArray(value)
          ? 'Give the values of all examples in one flat array: data.flat().'
          : 'Give numbers only.',
      );
    values[i] = Number(value);
    if (!Number.isFinite(values[i]!) && Number.isFinite(Number(value)))
      throw unfit(i, `${value}, which does not fit into float32,`, 'Scale the values.');
  }
  return values;
}

function described(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'bigint') return `${value}n`;
  return value === null || value === undefined ? String(value) : `of type ${typeof value}`;
}
