import { check } from '../error.js';
import { type LayerKind, product } from './layer.js';

export const activation: LayerKind = {
  activations: 1,
  open: ([shape], _, [by]) => ({
    shape: shape!,
    run([x]) {
      const y = x!.slice();
      by!(y, shape!.at(-1) ?? 1);
      return y;
    },
  }),
};

/** A factor and a summand for each channel: batch normalisation that no layer before it could take. */
export const affine: LayerKind = {
  open([shape]) {
    const channels = shape!.at(-1) ?? 1;
    return {
      shape: shape!,
      weights: [[channels], [channels]],
      run: ([x], [factor, summand]) =>
        x!.map((value, i) => value * factor![i % channels]! + summand![i % channels]!),
    };
  },
};

/** The same values, in another shape. */
export const reshape: LayerKind = {
  numbers: 'list',
  open([from], shape) {
    check(product(from!) === product(shape));
    return { shape, run: ([x]) => x! };
  },
};
