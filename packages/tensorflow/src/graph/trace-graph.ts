import { createRandom, type Random } from '@tutti/runtime';
import type { Tf, tf as types } from '../tf.js';
import { drawNoise, type Noise } from '../tfjs/noise.js';
import { withRandom } from '../tfjs/seeded.js';
import { tidied } from '../tfjs/tidied.js';
import { differenceOf } from './difference.js';
import { joinedProducts } from './joined-products.js';
import { type Obstacle, unsteady } from './obstacle.js';
import { obstacleIn } from './operations.js';
import { pooledFirst } from './pooled-first.js';
import { record } from './recording.js';
import { repeatsOf } from './repeats.js';
import { type GraphBackend, openSession } from './session.js';
import { simplified } from './simplified.js';

/** What a function returns: tensors, and plain facts on what they are. */
export interface GraphResult<Facts> {
  readonly tensors: readonly types.Tensor[];
  readonly facts: Facts;
}

/** @param noise the one thing that may be random: each run of a graph draws its numbers anew */
export type TracedFunction<Facts> = (random: Random, noise: Noise) => GraphResult<Facts>;

/** A function of tensors as one graph of TensorFlow. */
export interface Graph<Facts> {
  /** What the function would return for these inputs; of the types and shapes it was traced with. */
  run(inputs: readonly types.Tensor[]): GraphResult<Facts>;
  close(): void;
}

/**
 * Turns what `traced` does into a graph, if it does nothing but operations of TensorFlow and always
 * the same ones; otherwise says why not. The answer depends on the function and on the types and
 * shapes of its inputs, never on their values or on what was traced before, so that it is the same
 * in every process.
 *
 * The function runs three times with the same inputs: without reading values out (which is noticed),
 * what it does cannot depend on them. The first time is for what it makes once and keeps.
 * @throws TuttiError STORAGE, and whatever the function throws
 */
export function traceGraph<Facts>(
  tf: Tf,
  inputs: readonly types.Tensor[],
  traced: TracedFunction<Facts>,
): Graph<Facts> | Obstacle {
  const backend = tf.backend() as unknown as GraphBackend;
  let drawn = false;
  const random = noticed(() => {
    drawn = true;
  });
  const once = (noise: Noise) => withRandom(random, () => traced(random, noise));
  const shapes: number[][] = [];
  tidied(() =>
    once((shape) => {
      shapes.push([...shape]);
      return tf.zeros([...shape]);
    }),
  );
  // What it draws once, in order to keep it, it draws at no other call.
  drawn = false;
  const noises = shapes.map((shape) => tf.zeros(shape));
  const recorded = () =>
    tidied(() => {
      const rest = [...noises];
      let facts: Facts | undefined;
      const recording = record(backend, [...inputs, ...noises], () => {
        const result = once((shape) => {
          const next = rest.shift();
          if (next?.shape.join() === shape.join()) return next;
          drawn = true;
          return tf.zeros([...shape]);
        });
        if (rest.length > 0) drawn = true;
        facts = result.facts;
        return result.tensors;
      });
      return { recording, facts: facts as Facts };
    });
  const [{ recording: first, facts }, { recording: second }] = [recorded(), recorded()];
  tf.dispose(noises);
  const recording = simplified(joinedProducts(pooledFirst(simplified(first)), backend.binding));
  const repeats = repeatsOf(recording);
  const obstacle = drawn
    ? unsteady('it draws random numbers')
    : (differenceOf(first, second) ?? obstacleIn(recording, repeats));
  if (obstacle !== undefined) return obstacle;

  const session = openSession(backend, recording, repeats);
  // Tensors of our own on the same values: theirs may be disposed of.
  const held = recording.captured.map((tensor) => {
    backend.incRef(tensor.dataId);
    return tf.keep(tf.engine().makeTensorFromTensorInfo(tensor));
  });
  return {
    run: (given) => ({
      tensors: session.run([...given, ...shapes.map(drawNoise), ...held]),
      facts,
    }),
    close() {
      tf.dispose(held);
      session.close();
    },
  };
}

function noticed(drawn: () => void): Random {
  const random = createRandom('trace');
  return {
    next() {
      drawn();
      return random.next();
    },
    uint32() {
      drawn();
      return random.uint32();
    },
    below(bound) {
      drawn();
      return random.below(bound);
    },
    shuffle(items) {
      drawn();
      return random.shuffle(items);
    },
  };
}
