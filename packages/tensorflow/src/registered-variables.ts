import { tf } from './tf.js';

/** Every variable that TensorFlow.js knows, of models and others. */
export function registeredVariables(): tf.Variable[] {
  const { registeredVariables } = tf.engine().state as unknown as {
    registeredVariables: Readonly<Record<string, tf.Variable>>;
  };
  return Object.values(registeredVariables);
}
