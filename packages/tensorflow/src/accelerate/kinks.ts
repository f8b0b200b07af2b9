import type { Tf, tf as types } from '../tf.js';
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
  mendCrossEntropy(tf, active);
}

/** tfjs' sigmoid cross-entropy is right at a logit of 0 only with its own slope of |x|. */
function mendCrossEntropy(tf: Tf, active: Native['active']): void {
  const { losses, metrics } = tf;
  const { sigmoidCrossEntropy } = losses;
  const { binaryCrossentropy } = metrics;
  /** max(x, 0) - x z + log(1 + exp(-|x|)), with x - 2 max(x, 0) as -|x|. */
  const each = (labels: types.Tensor, logits: types.Tensor) => {
    tf.util.assertShapesMatch(labels.shape, logits.shape, 'Labels and predictions: ');
    const positive = logits.relu();
    const smooth = logits.sub(positive.mul(2)).exp().log1p();
    return positive.sub(logits.mul(labels)).add(smooth);
  };
  losses.sigmoidCrossEntropy = (labels, logits, weights, smoothing = 0, reduction) => {
    if (!active()) return sigmoidCrossEntropy(labels, logits, weights, smoothing, reduction);
    const [z, x] = [tf.cast(labels, 'float32'), tf.cast(logits, 'float32')];
    const smoothed = smoothing > 0 ? z.mul(1 - smoothing).add(smoothing / 2) : z;
    return tf.losses.computeWeightedLoss(each(smoothed, x), weights, reduction);
  };
  metrics.binaryCrossentropy = (labels, probabilities) => {
    if (!active()) return binaryCrossentropy(labels, probabilities);
    const epsilon = tf.backend().epsilon();
    return tf.tidy(() => {
      const p = probabilities.clipByValue(epsilon, 1 - epsilon);
      return each(labels, p.div(tf.sub(1, p)).log()).mean(-1);
    });
  };
}
