import type { Tensorflow as Tf } from '@tutti/tensorflow-setup/internal';

/** The same for every copy of this package: TensorFlow.js is one for the process. */
const ASSIGNED = Symbol.for('@tutti/tensorflow/assigned');

/** From now on it is known of every variable whether it was given a value after its first one. */
export function watchAssignments(tf: Tf): void {
  const prototype = tf.Variable.prototype as { assign(value: unknown): void };
  const { assign } = prototype;
  prototype.assign = function (value) {
    assign.call(this, value);
    (this as { [ASSIGNED]?: true })[ASSIGNED] = true;
  };
}

/** Whether somebody set it: it was loaded, say, and has not what an initializer drew for it. */
export function wasAssigned(variable: object): boolean {
  return ASSIGNED in variable;
}
