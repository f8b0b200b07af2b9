import type { ActivationSpec, LayerSpec, Weight } from '@tutti/compress';
import type { LayerVariable } from '../tfjs/layers-internals.js';
import type { ConvertibleLayer } from './symbolic.js';
import type { Factors } from './written-weights.js';

/** What a layer of the file gives. */
export interface Result {
  /** Its number: 0 is the example, k the result of layer k, counted from 1. */
  readonly at: number;
  /** Without the number of examples. */
  readonly shape: readonly number[];
  /** The result that is 0 where a step is to be left out. */
  readonly mask?: number;
}

/** What a converter may use to write one layer of tfjs as layers of the file. */
export interface Conversion {
  readonly layer: ConvertibleLayer;
  readonly inputs: readonly [Result, ...Result[]];
  /** The shape of the layer's output. */
  readonly shape: readonly number[];
  readonly config: Readonly<Record<string, unknown>>;
  /** @returns the number of its result */
  emit(spec: LayerSpec): number;
  /** A weight as the file is to have it. */
  weight(variable: LayerVariable): Weight;
  /** Of a weight that takes fewer multiplications as a product of two. */
  factors(variable: LayerVariable): Factors | undefined;
  /** The values of a weight, for one that is not written as it is. */
  values(variable: LayerVariable): Float32Array;
  /** Zeros for a bias that the layer does without. */
  bias(variable: LayerVariable | null | undefined, size: number): Weight;
  activation(name?: unknown): ActivationSpec;
  /** @throws TuttiError BAD_MODEL, naming the layer */
  refuse(why: string): never;
}
