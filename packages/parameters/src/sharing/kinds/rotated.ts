import { checkKeys } from '@tutti/runtime';
import { gather, sizeOf } from '../expressions/expression.js';
import {
  badRule,
  called,
  type KindRule,
  type PretrainedOptions,
  show,
  type WeightSpec,
} from '../rule.js';
import { readByElements } from '../values.js';

export interface RotatedOptions extends PretrainedOptions {
  /** `p4`: the four quarter turns; `p4m`: their mirror images, too. */
  readonly group: 'p4' | 'p4m';
  /** What the layer reads: an image, or the channels of such a layer. */
  readonly input: 'plane' | 'group';
}

/**
 * Group convolutions (Cohen and Welling 2016): the filters of a convolution [k, k, in, out] are
 * those of out / 4 (p4) or out / 8 (p4m) channels, in each orientation, so that what the layer gives
 * for a turned image is turned likewise. Its channels are grouped by orientation: channel
 * g * (out / |G|) + o is output o in orientation g. A bias [out] of such a layer shares one value
 * among the orientations.
 */
export function rotated(names: string | readonly string[], options: RotatedOptions): KindRule {
  checkKeys('rotated', options, { group: true, input: true, from: true });
  const { group, input, from } = options;
  if (!['p4', 'p4m'].includes(group) || !['plane', 'group'].includes(input))
    throw badRule(
      `rotated was given group ${JSON.stringify(group)} and input ${JSON.stringify(input)}`,
      "Give group 'p4' or 'p4m', and input 'plane' (an image) or 'group' (a rotated layer).",
    );
  return {
    kind: 'rotated',
    names: [names].flat(),
    from,
    define([weight]) {
      const { name, shape } = weight!;
      const turns = elementsOf(group);
      const { storedShape, index } =
        shape.length === 1 ? biasMap(weight!, turns) : kernelMap(weight!, turns, input);
      return readByElements(name, storedShape, (values) => gather(values, index, shape));
    },
  };
}

/** A matrix of determinant 1 or -1 that maps the square onto itself. */
type Turn = readonly [number, number, number, number];

/** The identity first, then the other turns, then the mirror images of all of them. */
function elementsOf(group: 'p4' | 'p4m'): readonly Turn[] {
  const turns: readonly Turn[] = [
    [1, 0, 0, 1],
    [0, -1, 1, 0],
    [-1, 0, 0, -1],
    [0, 1, -1, 0],
  ];
  if (group === 'p4') return turns;
  return [...turns, ...turns.map((turn) => times(turn, [1, 0, 0, -1]))];
}

function times([a, b, c, d]: Turn, [e, f, g, h]: Turn): Turn {
  return [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h];
}

/** An orthogonal matrix's, which is its transpose. */
const inverse = ([a, b, c, d]: Turn): Turn => [a, c, b, d];

function biasMap({ name, shape }: WeightSpec, turns: readonly Turn[]) {
  const outputs = divided(name, shape, shape[0]!, turns.length);
  return {
    storedShape: [outputs],
    index: Int32Array.from({ length: shape[0]! }, (_, i) => (i % outputs) + 1),
  };
}

function kernelMap({ name, shape }: WeightSpec, turns: readonly Turn[], input: 'plane' | 'group') {
  const [k, width, channels, filters] = shape as [number, number, number, number];
  if (shape.length !== 4 || k !== width)
    throw badRule(
      `${called('rotated', [name])} needs square filters [k, k, in, out], but "${name}" is ${show(shape)}`,
    );
  const from = input === 'plane' ? 1 : turns.length;
  const inputs = divided(name, shape, channels, from);
  const outputs = divided(name, shape, filters, turns.length);
  const key = (turn: Turn) => turns.findIndex((other) => other.join() === turn.join());
  const index = new Int32Array(sizeOf(shape));
  const middle = (k - 1) / 2;
  for (let at = 0; at < index.length; at++) {
    const filter = at % filters;
    const channel = Math.floor(at / filters) % channels;
    const column = Math.floor(at / (filters * channels)) % k;
    const row = Math.floor(at / (filters * channels * k));
    const back = inverse(turns[Math.floor(filter / outputs)]!);
    const [x, y] = [row - middle, column - middle];
    const sourceRow = back[0] * x + back[1] * y + middle;
    const sourceColumn = back[2] * x + back[3] * y + middle;
    const orientation =
      input === 'plane' ? 0 : key(times(back, turns[Math.floor(channel / inputs)]!));
    const place =
      ((sourceRow * k + sourceColumn) * from + orientation) * inputs + (channel % inputs);
    index[at] = place * outputs + (filter % outputs) + 1;
  }
  return { storedShape: [k, k, from, inputs, outputs], index };
}

function divided(name: string, shape: readonly number[], extent: number, by: number): number {
  if (extent % by === 0) return extent / by;
  throw badRule(
    `${called('rotated', [name])} has ${by} orientations, but "${name}" is ${show(shape)}`,
    `Give the layer a number of channels that is a multiple of ${by}.`,
  );
}
