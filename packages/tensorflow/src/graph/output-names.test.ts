import assert from 'node:assert/strict';
import { createAcceleration } from '../accelerate/index.js';
import type { FunctionModel } from '../model/function-model.js';
import { tf } from '../tf.js';
import { tidied } from '../tfjs/tidied.js';
import { OUTPUT_NAMES } from './output-names.js';
import { type Recording, record } from './recording.js';
import type { Repeat } from './repeats.js';
import { type GraphBackend, openSession } from './session.js';
import { simplified } from './simplified.js';
import { SPECIMENS } from './testing.js';

const backend = () => tf.backend() as unknown as GraphBackend;

function recorded(task: () => tf.Tensor): Recording {
  const acceleration = createAcceleration(tf);
  const all = () => {
    const { value, grads } = tf.variableGrads(() => task().square().mean().asScalar());
    return [value, ...Object.values(grads)];
  };
  return simplified(
    acceleration.run(() => acceleration.recording(() => tidied(() => record(backend(), [], all)))),
  );
}

/** The first operation of each name that has not been met, as a function of its own. */
function apart({ nodes }: Recording, met: Set<string>): Repeat[] {
  return [...nodes.entries()].flatMap(([place, node]) => {
    if (node.kind !== 'operation' || met.has(node.name)) return [];
    met.add(node.name);
    if (!OUTPUT_NAMES.has(node.name)) return [];
    const given = node.inputs.filter((source) => nodes[source.node]!.kind !== 'constant');
    const results = node.types.map((_type, output) => ({ position: 0, output }));
    return [{ instances: [{ nodes: [place], given }], results }];
  });
}

describe('the outputs of operations are called so in', () => {
  const met = new Set(['Snapshot']);
  for (const name of [
    'many functions of single elements',
    'a masked LSTM',
    'recurrent layers in both directions',
    'batch normalisation',
    'layers that are joined',
    'convolutions and pooling of other kinds',
  ])
    it(name, () => {
      const { model, batch } = SPECIMENS[name]!;
      const x = tf.tensor(batch.x!.data, batch.x!.shape as number[]);
      const made = typeof model === 'function' ? (model() as tf.LayersModel) : model;
      const a = tf.variable(tf.linspace(0.5, 1.5, 6));
      const recording = recorded(() =>
        'initialize' in made
          ? ((made as FunctionModel<'a'>).apply({ a }, { x }, {
              training: true,
            } as never) as tf.Tensor)
          : (made.apply(x, { training: true }) as tf.Tensor),
      );
      const repeats = apart(recording, met);
      const sessions = [[], repeats].map((each) => openSession(backend(), recording, each));
      const [expected, actual] = sessions.map((session) =>
        session.run(recording.captured).map((tensor) => [...tensor.dataSync()]),
      );
      for (const [at, values] of expected!.entries())
        for (const [i, value] of values.entries()) {
          const found = actual![at]![i]!;
          assert.ok(
            Math.abs(found - value) <= 1e-4 * Math.max(1, Math.abs(value)),
            `${found} ${value}`,
          );
        }
      for (const session of sessions) session.close();
    });

  it('these, and every one is among them', () => {
    assert.deepEqual(
      [...OUTPUT_NAMES.keys()].filter((name) => !met.has(name)),
      [],
    );
  });
});
