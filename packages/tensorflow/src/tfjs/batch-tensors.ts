import type { Batch, Field } from '@tutti/data';
import { toField } from '@tutti/data/internal';
import { TuttiError } from '@tutti/runtime';
import { tf } from '../tf.js';

/** The fields of a batch as tensors, by name. */
export type BatchTensors = Readonly<Record<string, tf.Tensor>>;

/** Number of examples in a batch. @throws TuttiError PROGRAM_FAILED if its fields disagree */
export function exampleCount(batch: Batch): number {
  const fields = Object.entries(batch);
  const [first] = fields;
  if (first === undefined)
    throw new TuttiError('PROGRAM_FAILED', 'The dataset gave a batch without fields', {
      remedy: 'Let it give at least a field "x".',
    });
  const count = first[1].shape[0] ?? 0;
  for (const [name, { shape }] of fields)
    if (shape[0] !== count)
      throw new TuttiError(
        'PROGRAM_FAILED',
        `Field "${first[0]}" has ${count} examples, but "${name}" has ${shape[0]}`,
        { remedy: 'Give every field of a batch the same first dimension.' },
      );
  return count;
}

/** The example that an element of a batch's tensor is of. */
export function rowOf({ shape, size }: tf.Tensor, element: number): number {
  return Math.floor((element * shape[0]!) / size);
}

/**
 * float32 stays float32; int32 and bytes become int32 tensors. The tensors may share the memory of
 * the batch.
 * @throws TuttiError BAD_DATA for what is no field
 */
export function batchTensors(batch: Batch): BatchTensors {
  return Object.fromEntries(
    Object.entries(batch).map(([name, field]) => [name, tensor(toField(name, field))]),
  );
}

function tensor({ data, shape }: Field): tf.Tensor {
  if (data instanceof Float32Array) return tf.tensor(data, [...shape], 'float32');
  return tf.tensor(data instanceof Int32Array ? data : Int32Array.from(data), [...shape], 'int32');
}
