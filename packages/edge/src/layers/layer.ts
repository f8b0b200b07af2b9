import type { Activation } from '../activations.js';
import { check } from '../error.js';

/** Without the number of examples. */
export type Shape = readonly number[];

/** A weight of which a part can be made without the others. A Float32Array is one. */
export interface Table {
  /** Elements from `begin` to before `end`, of the flat weight. */
  subarray(begin: number, end: number): Float32Array;
}

/** A layer with the shapes that it has in one model. */
export interface Layer {
  readonly shape: Shape;
  /** The shapes of its weights, in the order of the file. */
  readonly weights?: readonly Shape[];
  run(inputs: readonly Float32Array[], weights: readonly Float32Array[]): Float32Array;
}

/** What a file may have layers of. */
export interface LayerKind {
  /** How many whole numbers the file gives for it; `list` for any number of them, which comes first. */
  readonly numbers?: number | 'list';
  /** How many activations follow them. */
  readonly activations?: number;
  /** Whether it takes several inputs. */
  readonly merges?: true;
  /** Whether it reads parts of its weights, so that it is given a `Table` for each. */
  readonly looksUp?: true;
  /** @throws EdgeError for shapes and numbers that do not fit each other */
  open(
    inputs: readonly Shape[],
    numbers: readonly number[],
    activations: readonly Activation[],
  ): Layer;
}

export const product = (shape: Shape): number => shape.reduce((size, extent) => size * extent, 1);

/** @throws EdgeError unless the input has this many dimensions */
export function ofRank<T extends Shape>(shape: Shape, rank: T['length']): T {
  check(shape.length === rank);
  return shape as T;
}
