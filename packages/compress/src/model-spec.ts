import {
  ACTIVATION_NAMES,
  ACTIVATIONS,
  LAYER_NAMES,
  type LayerKind,
  type Shape,
} from '@tutti/edge/internal';
import { TuttiError } from '@tutti/runtime';
import type { Weight } from './parts.js';

export interface ActivationSpec {
  readonly name: (typeof ACTIVATION_NAMES)[number];
  readonly argument?: number;
}

/** One layer, in the words of `@tutti/edge`. */
export interface LayerSpec {
  readonly kind: keyof typeof LAYER_NAMES;
  /** Which results it reads: 0 the example, k that of layer k, counted from 1. The last one, if not given. */
  readonly inputs?: readonly number[];
  readonly numbers?: readonly number[];
  readonly activations?: readonly ActivationSpec[];
  readonly weights?: readonly Weight[];
}

export interface ModelSpec {
  /** The shape of one example. */
  readonly input: Shape;
  readonly layers: readonly LayerSpec[];
}

/** A layer with the shapes that it has in its model. */
export interface OpenedLayer {
  readonly spec: LayerSpec;
  readonly shape: Shape;
  /** The shapes of its weights. */
  readonly weights: readonly Shape[];
}

/** @throws TuttiError BAD_MODEL for layers that do not fit each other, or have other weights than they need */
export function openLayers({ input, layers }: ModelSpec): OpenedLayer[] {
  const shapes: Shape[] = [input];
  return layers.map((spec) => {
    const { kind, inputs = [shapes.length - 1], numbers = [], activations = [] } = spec;
    const opened = activations.map(({ name, argument }) =>
      ACTIVATIONS[ACTIVATION_NAMES.indexOf(name)]![0](argument ?? 0),
    );
    const known: LayerKind = LAYER_NAMES[kind];
    const { shape, weights = [] } = known.open(
      inputs.map((at) => shapes[at]!),
      numbers,
      opened,
    );
    const given = spec.weights ?? [];
    if (given.length !== weights.length)
      throw refused(`${kind} has ${given.length} weights instead of ${weights.length}`);
    shapes.push(shape);
    return { spec, shape, weights };
  });
}

/** A weight with what its layer says of it. */
export interface PlacedWeight {
  readonly weight: Weight;
  readonly name: string;
  readonly shape: Shape;
  /** Whether its layer reads parts of it only. */
  readonly isLookedUp: boolean;
}

export function weightsOf(layers: readonly OpenedLayer[]): PlacedWeight[] {
  return layers.flatMap(({ spec: { kind, weights = [] }, weights: shapes }) =>
    weights.map((weight, at) => ({
      weight,
      name: `Weight ${at} of ${kind}`,
      shape: shapes[at]!,
      isLookedUp: (LAYER_NAMES[kind] as LayerKind).looksUp === true,
    })),
  );
}

export function refused(message: string): TuttiError {
  return new TuttiError('BAD_MODEL', message, {
    remedy: 'Export it for TensorFlow.js instead: `tutti export --format tfjs`.',
  });
}
