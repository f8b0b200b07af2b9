import { elementsOf, type Tensor } from './safetensors-header.js';

/**
 * The file of one range: `weights-00001-of-00002.safetensors`, or the plain name if there is only
 * one range.
 */
export function rangeFile(name: string, at: number, ranges: number): string {
  if (ranges === 1) return name;
  const number = (value: number) => String(value).padStart(5, '0');
  return name.replace('.', `-${number(at + 1)}-of-${number(ranges)}.`);
}

/** The files of all ranges in a manifest, in order. */
export function rangeFiles(name: string, listed: Iterable<string>): string[] {
  const [stem, ending] = name.split('.') as [string, string];
  const pattern = new RegExp(`^${stem}(-\\d{5,}-of-\\d{5,})?\\.${ending}$`);
  return [...listed].filter((file) => pattern.test(file)).sort();
}

/** What lies from float `from` to float `to`; a tensor that is cut is a row of its floats there. */
export function piecesOf(tensors: readonly Tensor[], from: number, to: number): Tensor[] {
  const pieces: Tensor[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    const { name, values } = tensor;
    const start = Math.max(0, from - offset);
    const end = Math.min(values.length, to - offset);
    offset += values.length;
    if (start >= end) continue;
    if (end - start === values.length) pieces.push(tensor);
    else
      pieces.push({
        name: `${name}[${start}:${end}]`,
        shape: [end - start],
        values: values.subarray(start, end),
      });
  }
  return pieces;
}

/** The name of the tensor that a piece was cut from. */
export const wholeName = (name: string) => name.replace(/\[\d+:\d+\]$/, '');

/** The floats of pieces, one after the other. */
export function joined(pieces: readonly Tensor[]): Float32Array {
  if (pieces.length === 1) return pieces[0]!.values;
  const flat = new Float32Array(pieces.reduce((sum, { values }) => sum + values.length, 0));
  let at = 0;
  for (const { values } of pieces) {
    flat.set(values, at);
    at += values.length;
  }
  return flat;
}

/** Cuts a flat vector into tensors; undefined if it is not just as long as they are. */
export function tensorsOf(
  flat: Float32Array,
  shapes: readonly { readonly name: string; readonly shape: readonly number[] }[],
): Tensor[] | undefined {
  let at = 0;
  const tensors = shapes.map(({ name, shape }) => {
    const from = at;
    at += elementsOf(shape);
    return { name, shape, values: flat.subarray(from, at) };
  });
  return at === flat.length ? tensors : undefined;
}
