import type { StoredParameter } from '@tutti/protocol';
import { type Random, TuttiError } from '@tutti/runtime';
import type { Expression, Shape } from './expressions/expression.js';

/** A tensor that the model reads. */
export interface WeightSpec extends Omit<StoredParameter, 'update'> {
  /** `frozen` ones keep their first values: they are constants of the program, stored by nobody. */
  readonly update?: 'gradient' | 'average' | 'frozen';
}

/** Says how weights are computed from fewer stored parameters: made by `tie`, `hashed` and the like. */
export type SharingRule = TieRule | KindRule;

export interface TieRule {
  readonly kind: 'tie';
  /** The first is stored; the others read it. A pattern with `*` names several. */
  readonly names: readonly string[];
  /** How the others read it: its dimensions in another order, then a part of it. */
  readonly permutation: readonly number[] | undefined;
  readonly begin: readonly number[] | undefined;
  /** Neighbours that one pattern names fall into so many groups, each with a first of its own. */
  readonly groups: number;
}

export interface KindRule {
  readonly kind: string;
  /** Names or patterns of weights. */
  readonly names: readonly string[];
  /** One definition for all of the weights, instead of one for each. */
  readonly together?: boolean;
  /** Pretrained values that the stored ones are to come closest to. */
  readonly from?: Pretrained | undefined;
  /**
   * What is stored for these weights, and how they follow from it.
   * @throws TuttiError BAD_PROGRAM for weights that it does not fit
   */
  readonly define: (weights: readonly WeightSpec[], values: FirstValues) => Definition;
}

/**
 * `model`: the first values that the model itself gives are pretrained. Otherwise values by the names
 * of weights, such as those of a safetensors file.
 */
export type Pretrained = 'model' | Readonly<Record<string, ArrayLike<number>>>;

/** What a kind may be given besides its own options. */
export interface PretrainedOptions {
  /** Pretrained values, which the stored ones begin as close to as they can. */
  readonly from?: Pretrained | undefined;
}

/** The values that a weight begins with, pretrained or as the model makes them with the program's seed. */
export type FirstValues = (weight: WeightSpec) => Float32Array;

export interface Definition {
  readonly stored: readonly { readonly name: string; readonly shape: Shape }[];
  /** One for each weight. */
  readonly expressions: readonly Expression[];
  /**
   * The stored values, by name, from those of the weights.
   * @param init.pretrained they are to come closest to the weights, in least squares; otherwise the
   *   weights are drawn by their own initialisers, whose spread is that of the whole weight's fan-in,
   *   and the virtual weights must get the same spread
   */
  initial(
    weights: readonly Float32Array[],
    init: { readonly random: (name: string) => Random; readonly pretrained: boolean },
  ): Readonly<Record<string, Float32Array>>;
}

export function badRule(
  message: string,
  remedy = "Correct the program's `sharing` list.",
): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}

export const show = (shape: Shape): string => `[${shape.join(', ')}]`;

/** A rule as the user wrote it, as far as errors need it: `hashed("a")`. */
export const called = (kind: string, names: readonly string[]): string =>
  `${kind}(${names.map((name) => `"${name}"`).join(', ')})`;

export interface Size {
  /** Values to store for each weight. */
  readonly stored?: number | undefined;
  /** Stored values for each element of the weight, such as 1 / 8. */
  readonly ratio?: number | undefined;
}

/**
 * How many values to store for a weight of `size` elements.
 * @throws TuttiError BAD_PROGRAM unless exactly one of the two is given, and fits
 */
export function storedSize(rule: string, size: number, { stored, ratio }: Size): number {
  if ((stored === undefined) === (ratio === undefined))
    throw badRule(`${rule} takes either \`stored\` or \`ratio\``, 'Give one of them.');
  if (ratio !== undefined) {
    if (!(ratio > 0 && ratio <= 1))
      throw badRule(
        `The ratio of ${rule} is ${ratio}`,
        'Give stored values for each element of the weight: above 0, at most 1, such as 1 / 8.',
      );
    return Math.max(1, Math.floor(ratio * size));
  }
  if (!Number.isSafeInteger(stored) || stored! < 1 || stored! > size)
    throw badRule(
      `${rule} stores ${stored} values for ${size} elements`,
      `Give a whole number from 1 to ${size}.`,
    );
  return stored!;
}

/** A weight as a matrix of its last two dimensions, or of all but the last and the last. */
export function asMatrix(rule: string, { name, shape }: WeightSpec): readonly [number, number] {
  if (shape.length < 2)
    throw badRule(
      `${rule} needs a matrix, but "${name}" is ${show(shape)}`,
      'Name a kernel, not a bias.',
    );
  const columns = shape.at(-1)!;
  return [shape.slice(0, -1).reduce((rows, extent) => rows * extent, 1), columns];
}

export function wholeFrom1(rule: string, what: string, value: number, most = Infinity): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw badRule(
    `${what} of ${rule} is ${value}`,
    `Give a whole number from 1${most === Infinity ? '' : ` to ${most}`}.`,
  );
}
