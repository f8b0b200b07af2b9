import assert from 'node:assert/strict';
import type { Batch } from '@tutti/data';
import { createAcceleration } from '../accelerate/index.js';
import { assertClose, gradient, open } from '../testing.js';
import { tf } from '../tf.js';
import { tidied } from '../tfjs/tidied.js';
import { joinedProducts } from './joined-products.js';
import { pooledFirst } from './pooled-first.js';
import { type RecordedNode, type Recording, record, type Source } from './recording.js';
import { repeatsOf } from './repeats.js';
import { type GraphBackend, openSession } from './session.js';
import { simplified } from './simplified.js';

type Model = (steps: number) => tf.LayersModel;

/** Numbers of words, 0 for none. */
const reading =
  (maskZero: boolean, ...layers: (() => tf.layers.Layer)[]): Model =>
  (steps) =>
    tf.sequential({
      layers: [
        tf.layers.embedding({ inputShape: [steps], inputDim: 11, outputDim: 3, maskZero }),
        ...layers.map((make) => make()),
        tf.layers.dense({ units: 2, activation: 'softmax' }),
      ],
    });

const MODELS: Readonly<Record<string, Model>> = {
  'a masked LSTM': reading(true, () => tf.layers.lstm({ units: 5 })),
  'a wide GRU': reading(false, () => tf.layers.gru({ units: 64 })),
  'GRUs one above the other': reading(
    false,
    () => tf.layers.gru({ units: 4, returnSequences: true, recurrentActivation: 'sigmoid' }),
    () => tf.layers.gru({ units: 4, returnSequences: true, goBackwards: true }),
    () => tf.layers.gru({ units: 4, useBias: false }),
  ),
  'two LSTMs in one cell': reading(false, () =>
    tf.layers.rnn({ cell: [4, 4].map((units) => tf.layers.lstmCell({ units })) as never }),
  ),
  'an LSTM in both directions': reading(
    false,
    () =>
      tf.layers.bidirectional({
        layer: tf.layers.lstm({ units: 4, returnSequences: true }) as never,
        mergeMode: 'concat',
      }),
    () => tf.layers.globalAveragePooling1d(),
  ),
  'a simpleRNN with ReLUs': reading(true, () =>
    tf.layers.simpleRNN({ units: 6, activation: 'relu', recurrentInitializer: 'glorotUniform' }),
  ),
};

const loss = 'sparseCategoricalCrossentropy';
const backend = () => tf.backend() as unknown as GraphBackend;

const words = (n: number, steps: number, seed: number) =>
  Int32Array.from({ length: n * steps }, (_, at) => (at * 7 + seed * at * at) % 11);

/** What the gradient of a model takes, and the tensors that it reads. */
function recorded(model: tf.LayersModel, steps: number) {
  const acceleration = createAcceleration(tf);
  const x = tf.tensor2d(words(2, steps, 1), [2, steps], 'int32');
  const task = () => {
    const { value, grads } = tf.variableGrads(() =>
      (model.apply(x, { training: true }) as tf.Tensor).square().mean().asScalar(),
    );
    return [value, ...Object.values(grads)];
  };
  const recording = acceleration.run(() =>
    acceleration.recording(() => tidied(() => record(backend(), [x], task))),
  );
  const joined = joinedProducts(pooledFirst(simplified(recording)), backend().binding);
  return { recording: simplified(joined), inputs: [x, ...recording.captured] };
}

describe('what a recording repeats', () => {
  const node = (name: string, inputs: readonly Source[], shape = [2]): RecordedNode => ({
    kind: 'operation',
    name,
    attributes: [],
    inputs,
    types: [{ dtype: 1, shape }],
  });
  const from = (place: number): Source => ({ node: place, output: 0 });
  const input = (): RecordedNode => ({
    kind: 'input',
    handle: 1,
    type: { dtype: 1, shape: [2] },
  });
  const names = 'Tanh Exp Neg Square Abs Sin Cos'.split(' ');
  /** Each step makes a state of the one before it and of what is given. */
  function chain(steps: number, change: (step: number) => string = () => 'Mul'): Recording {
    const nodes = [input(), input()];
    const states: Source[] = [];
    let state = from(0);
    for (let step = 0; step < steps; step++) {
      for (const name of names) state = from(nodes.push(node(name, [state])) - 1);
      state = from(nodes.push(node(change(step), [state, from(1)])) - 1);
      states.push(state);
    }
    return { nodes, outputs: states.slice(-1), captured: [], obstacle: undefined };
  }

  it('is found with what goes in and what comes out', () => {
    const [repeat, ...others] = repeatsOf(chain(20));
    assert.equal(others.length, 0);
    assert.equal(repeat!.instances.length, 20);
    assert.deepEqual(repeat!.instances[3], {
      nodes: [26, 27, 28, 29, 30, 31, 32, 33],
      given: [from(25), from(1)],
    });
    assert.deepEqual(repeat!.results, [{ position: 7, output: 0 }]);
  });

  it('ends where something else is done', () => {
    const lengths = (recording: Recording) =>
      repeatsOf(recording).map(({ instances }) => instances.length);
    assert.deepEqual(lengths(chain(40, (step) => (step === 15 ? 'Add' : 'Mul'))), [24, 15]);
    assert.deepEqual(lengths(chain(7)), []);
    // The outputs of this operation have no name here.
    assert.deepEqual(lengths(chain(40, () => 'Conv2D')), []);
  });

  it('has the same inputs in the same places', () => {
    const { nodes, ...rest } = chain(40);
    // From here on, each step reads the state before the last one.
    const others = nodes.map((each, place) =>
      each.kind === 'operation' && each.name === 'Mul' && place > 161
        ? { ...each, inputs: [each.inputs[0]!, from(place - 1)] }
        : each,
    );
    const [first, second] = repeatsOf({ nodes: others, ...rest });
    assert.equal(second, undefined);
    assert.equal(first!.instances.length, 20);
  });
});

describe('functions of what a graph repeats', () => {
  for (const [name, model] of Object.entries(MODELS))
    it(`leave the bits as they are: ${name}`, () => {
      const { recording, inputs } = recorded(model(11), 11);
      const repeats = repeatsOf(recording);
      // What is left of a simpleRNN's step on the way back is too short for one.
      const least = name === 'a simpleRNN with ReLUs' ? 1 : 2;
      assert.ok(repeats.length >= least, `${repeats.length}`);
      const sessions = [[], repeats].map((each) => openSession(backend(), recording, each));
      for (const scale of [1, 0.7]) {
        const scaled = inputs.map((tensor) =>
          tensor.dtype === 'int32' ? tensor : tf.mul(tensor as tf.Tensor, scale),
        );
        const [inlined, called] = sessions.map((session) =>
          session.run(scaled).map((tensor) => tensor.dataSync()),
        );
        assert.deepEqual(called, inlined);
      }
      for (const session of sessions) session.close();
    });

  for (const [name, steps] of [
    ['a masked LSTM', 30],
    ['two LSTMs in one cell', 12],
    ['GRUs one above the other', 12],
    ['an LSTM in both directions', 12],
    ['a simpleRNN with ReLUs', 300],
  ] as const)
    it(`give what single operations give: ${name} of ${steps} steps`, async () => {
      const options = { model: () => MODELS[name]!(steps), loss } as const;
      const [single, graph] = [await open({ ...options, graph: false }), await open(options)];
      const initial = await single.initialize(3);
      const before = tf.node.getNumOfSavedModels();
      for (const scale of [1, 0.8]) {
        const weights = Object.fromEntries(
          Object.entries(initial).map(([key, values]) => [key, values.map((v) => v * scale)]),
        );
        const batch: Batch = {
          x: { data: words(3, steps, scale * 10), shape: [3, steps] },
          y: { data: Int32Array.of(0, 1, 1), shape: [3] },
        };
        const actual = await gradient(graph, weights, batch);
        assert.deepEqual(await gradient(graph, weights, batch), actual);
        // What was captured was captured with other values.
        if (scale === 1) continue;
        const expected = await gradient(single, weights, batch);
        assertClose(actual.gradient, expected.gradient, 1e-4);
        assert.ok(Math.abs(actual.lossSum - expected.lossSum) < 1e-5 * expected.lossSum);
      }
      assert.equal(tf.node.getNumOfSavedModels(), before + 1);
      await single.close?.();
      await graph.close?.();
    });
});
