import { TuttiError } from '@tutti/runtime';
import { registeredVariables } from '../registered-variables.js';
import { tf } from '../tf.js';

/**
 * Runs a part of a pass, which is synchronous, so that no variable is state beside the stored
 * parameters: it would be neither trained nor stored nor exported, and every process would have its
 * own. What the part may read is its arguments, and constants.
 * @param who runs, as the subject of a sentence
 * @throws TuttiError PROGRAM_FAILED for a variable that it reads, changes or makes; its stack shows where
 */
export function withoutState<T>(who: string, { constants, remedy }: Rule, task: () => T): T {
  const refuse = (does: string, { name, shape }: Pick<tf.Variable, 'name' | 'shape'>) => {
    const called = `"${name}" [${shape.join(', ')}]`;
    throw new TuttiError(
      'PROGRAM_FAILED',
      `${who} ${does} the variable ${called}, which is no stored parameter: nobody would train, store or export it`,
      { remedy, details: { variable: name, shape: [...shape] } },
    );
  };
  const engine = tf.engine() as unknown as { makeVariable?: MakeVariable };
  const variables = registeredVariables() as unknown as Held[];
  const values = variables.map(({ dataId }) => dataId);
  variables.forEach((variable, at) => {
    Object.defineProperties(variable, {
      // Whatever reads it, an operation or dataSync, asks for this.
      dataId: {
        configurable: true,
        enumerable: true,
        get() {
          if (!constants || variable.trainable) refuse('reads', variable);
          return values[at];
        },
      },
      assign: { configurable: true, value: () => refuse('changes', variable) },
    });
  });
  engine.makeVariable = ({ shape }, _trainable, name = '') => refuse('makes', { name, shape });
  try {
    return task();
  } finally {
    delete engine.makeVariable;
    variables.forEach((variable, at) => {
      delete variable.assign;
      Object.defineProperty(variable, 'dataId', {
        configurable: true,
        enumerable: true,
        writable: true,
        value: values[at],
      });
    });
  }
}

export interface Rule {
  /** Variables that are not trainable are left as they are, so they may be read. */
  readonly constants: boolean;
  readonly remedy: string;
}

/** For a function of the program that trains nothing. */
export const FUNCTION: Rule = {
  constants: true,
  remedy:
    'What is to be trained belongs to the model: to its layers, or to the parameters of a model that is a function. A constant is a tensor (tf.tensor), or not trainable: tf.variable(value, false), layer.trainable = false.',
};

/** For the layers of a model: an export has their weights and nothing else. */
export const LAYERS: Rule = {
  constants: false,
  remedy:
    'Use layers within an own layer in `model` itself, one after the other. An own layer declares its weights in build() with this.addWeight(name, shape, ...), and call() reads them with read().',
};

interface Held {
  dataId: object;
  readonly name: string;
  readonly shape: number[];
  readonly trainable: boolean;
  assign?: unknown;
}

type MakeVariable = (value: tf.Tensor, trainable?: boolean, name?: string) => void;
