import type { tf as types } from '../tf.js';
import { type GradientFunction, type Native, replaceGradient } from './backend.js';

/**
 * The gradients of TensorFlow, where a function has none of its own. tfjs gives each of several equal
 * maxima the whole gradient, as if all of them counted, and |x| at 0 a slope of -1.
 */
export function mendKinks({ tf, active }: Native): void {
  const shared: GradientFunction = (dy, [x, y], attributes) => {
    // What Max calls reductionIndices is the axis of Min.
    const given = (attributes.reductionIndices ?? attributes.axis) as number | number[];
    const axes = tf.util.parseAxisParam(given, x!.shape);
    const kept = x!.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    return {
      x() {
        const chosen = tf.equal(x!, y!.reshape(kept)).cast('float32');
        return chosen.mul(dy.reshape(kept).div(chosen.sum(axes, true)));
      },
    };
  };
  const even: GradientFunction = (dy, [x]) => ({
    x: () => dy.mul(tf.sign((x as types.Tensor).cast('float32'))),
  });
  for (const [name, mended] of Object.entries({ Max: shared, Min: shared, Abs: even }))
    replaceGradient(tf, name, (original) => ({
      ...original,
      gradFunc: (dy, saved, attributes) =>
        (active() ? mended : original.gradFunc)(dy, saved, attributes),
    }));
}
