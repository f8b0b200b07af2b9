import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, type Random } from '@tutti/runtime';
import { createAcceleration } from '../accelerate/index.js';
import { tf } from '../tf.js';
import { drawNoise, type Noise } from '../tfjs/noise.js';
import { withRandom } from '../tfjs/seeded.js';
import { tidied } from '../tfjs/tidied.js';
import type { Obstacle } from './obstacle.js';
import { MOST_NODES } from './operations.js';
import { type GraphBackend, openSession } from './session.js';
import { type Graph, traceGraph } from './trace-graph.js';

type Traced = (random: Random) => tf.Tensor;

/** As in a micro-batch: what is drawn follows from a seed, and operations are those for graphs. */
function attempt(input: tf.Tensor, traced: Traced): Graph<null> | Obstacle {
  const acceleration = createAcceleration(tf);
  return withRandom(createRandom('attempt'), () =>
    acceleration.run(() =>
      acceleration.recording(() =>
        traceGraph(tf, [input], (random) => ({ tensors: [traced(random)], facts: null })),
      ),
    ),
  );
}

function graphOf(input: tf.Tensor, traced: Traced): Graph<null> {
  const graph = attempt(input, traced);
  assert.ok('run' in graph, `no graph: ${JSON.stringify(graph)}`);
  return graph;
}

function obstacleOf(input: tf.Tensor, traced: Traced): Obstacle {
  const obstacle = attempt(input, traced);
  assert.ok('reason' in obstacle);
  return obstacle;
}

const run = (graph: Graph<null>, input: tf.Tensor) =>
  tidied(() => [...graph.run([input]).tensors[0]!.dataSync()]);

describe('traceGraph', () => {
  let x: tf.Tensor;
  const given: tf.Tensor[] = [];
  const kept = (values: number[]) => {
    const tensor = tf.tensor1d(values);
    given.push(tensor);
    return tensor;
  };
  beforeEach(() => {
    x = kept([1, 2, 3]);
  });
  afterEach(() => tf.dispose(given.splice(0)));

  it('gives what the function would give for other values', () => {
    const graph = graphOf(x, () => x.square().add(1));
    assert.deepEqual(run(graph, x), [2, 5, 10]);
    assert.deepEqual(run(graph, kept([0, -1, 5])), [1, 2, 26]);
    graph.close();
  });

  it('gives an input that is an output, and an output twice', () => {
    const graph = traceGraph(tf, [x], () => {
      const sum = x.add(1);
      return { tensors: [x.clone(), sum, sum.clone()], facts: 'as they are' };
    }) as Graph<string>;
    const { tensors, facts } = graph.run([kept([4, 5, 6])]);
    const values = tensors.map((tensor) => [...tensor.dataSync()]);
    assert.deepEqual(values, [
      [4, 5, 6],
      [5, 6, 7],
      [5, 6, 7],
    ]);
    assert.equal(facts, 'as they are');
    tf.dispose([...tensors]);
    graph.close();
  });

  it('keeps the tensors from elsewhere that it needs', () => {
    const table = tf.tensor1d([10, 20, 30]);
    const graph = graphOf(x, () => x.add(table));
    table.dispose();
    assert.deepEqual(run(graph, x), [11, 22, 33]);
    const before = tf.memory().numTensors;
    graph.close();
    assert.equal(tf.memory().numTensors, before - 1);
  });

  it('keeps what the function makes once, whoever asks first', () => {
    let table: tf.Tensor | undefined;
    const traced = () => {
      table ??= tf.keep(tf.range(1, 4).square());
      return x.add(table);
    };
    const graph = graphOf(x, traced);
    assert.deepEqual(run(graph, x), [2, 6, 12]);
    graph.close();
    graphOf(x, traced).close();
    table?.dispose();
  });

  it('has a graph also of what draws once and keeps that, whoever asks first', () => {
    const keeping = () => {
      let table: tf.Tensor | undefined;
      return () => {
        table ??= given[given.push(tf.keep(tf.randomNormal([3]))) - 1]!;
        return x.add(table);
      };
    };
    const first = keeping();
    graphOf(x, first).close();
    const later = keeping();
    tidied(later);
    for (const traced of [first, later]) graphOf(x, traced).close();
  });

  it('does not depend on whether tfjs looks at every operation, in its debug mode or to profile it', async () => {
    const warn = console.warn;
    console.warn = () => {};
    const { log } = console;
    try {
      tf.enableDebugMode();
      console.log = () => {};
      graphOf(x, () => x.square().add(1)).close();
      await tf.profile(() => {
        graphOf(x, () => x.square().add(1)).close();
        return tf.scalar(0);
      });
      assert.match(obstacleOf(x, () => x.mul(x.dataSync()[0]!)).reason, /reads values/);
      assert.equal(tf.env().getBool('DEBUG'), true);
    } finally {
      tf.env().set('DEBUG', false);
      tf.env().set('CHECK_COMPUTATION_FOR_ERRORS', false);
      console.warn = warn;
      console.log = log;
    }
  });

  for (const [what, reason, traced, steady = false] of [
    ['reads values of its input', /reads values/, () => x.mul(x.dataSync()[0]! > 0 ? 1 : -1)],
    ['reads values that it made', /reads values/, () => x.mul(tf.ones([3]).sum().dataSync()[0]!)],
    ['reads values of a constant', /reads values/, () => x.mul(tf.scalar(3).arraySync())],
    ['draws from the given generator', /draws random/, (random) => x.mul(random.next() + 1)],
    ['draws whole numbers', /draws random/, (random) => x.mul(random.below(1) + 1)],
    ['draws from Math.random', /draws random/, () => x.mul(Math.random() + 1)],
    ['draws tensors', /draws random/, () => x.add(tf.randomNormal([3]))],
    [
      'has an operation that has not been tried',
      /operation MirrorPad/,
      () => tf.mirrorPad(x, [[1, 1]], 'reflect'),
      true,
    ],
  ] as [string, RegExp, Traced, boolean?][])
    it(`refuses a function that ${what}`, () => {
      const obstacle = obstacleOf(x, traced);
      assert.match(obstacle.reason, reason);
      assert.equal(obstacle.steady, steady);
      // In the case of the last: not while it records, either.
      assert.equal(x.dataSync()[0], 1);
    });

  it('draws the noise of each run anew, in the order in which the function asks for it', () => {
    const graph = traceGraph(tf, [x], (_random, noise) => {
      const [first, second] = [noise([3]), noise([2])];
      return { tensors: [second.add(0), first.add(x)], facts: null };
    }) as Graph<null>;
    const drawn = () =>
      withRandom(createRandom('drawn'), () =>
        tidied(() => [...graph.run([x]).tensors].map((tensor) => [...tensor.dataSync()])),
      );
    const [second, first] = withRandom(createRandom('drawn'), () => {
      const noises = [drawNoise([3]), drawNoise([2])] as const;
      given.push(...noises);
      return tidied(() => [[...noises[1].dataSync()], [...noises[0].add(x).dataSync()]]);
    });
    assert.deepEqual(drawn(), [second, first]);
    assert.notDeepEqual(
      tidied(() => [...graph.run([x]).tensors[0]!.dataSync()]),
      second,
    );
    graph.close();
  });

  it('refuses a function that asks for noise now and then', () => {
    let calls = 0;
    for (const traced of [
      (noise: Noise) => (++calls % 2 === 0 ? x.add(noise([3])) : x.add(0)),
      (noise: Noise) => x.add(noise(++calls % 2 === 0 ? [3] : [1])),
    ]) {
      const graph = traceGraph(tf, [x], (_random, noise) => ({
        tensors: [traced(noise)],
        facts: null,
      }));
      assert.match((graph as Obstacle).reason, /draws random/);
    }
  });

  it('refuses a function that depends on how often it was called', () => {
    let calls = 0;
    const changing: Traced[] = [
      () => x.mul(++calls),
      () => (++calls % 2 === 0 ? x.add(1) : x.sub(1)),
      () => (++calls % 2 === 0 ? x.add(1) : x.add(1).abs()),
      () => x.add(kept([++calls, 0, 0])),
      () => x.sum(0, ++calls % 2 === 0).reshape([1]),
    ];
    for (const traced of changing) {
      const { reason, steady } = obstacleOf(x, traced);
      assert.match(reason, /not always/);
      assert.equal(steady, false);
    }
  });

  it('refuses a function of very many operations', () => {
    const traced = () => {
      let sum = x;
      for (let i = 0; i < MOST_NODES; i++) sum = sum.add(i);
      return sum;
    };
    assert.match(obstacleOf(x, traced).reason, /operations and constants/);
  });

  it('leaves TensorFlow as it was, also when the function throws', () => {
    const backend = tf.backend() as unknown as GraphBackend;
    const { binding } = backend;
    const before = tf.memory().numTensors;
    const thrown = () => {
      tf.add(x, 1);
      throw new Error('on purpose');
    };
    assert.throws(() => attempt(x, thrown), /on purpose/);
    attempt(x, () => x.mul(x.dataSync()[0]!));
    graphOf(x, () => x.add(1)).close();
    assert.equal(backend.binding, binding);
    assert.deepEqual(
      Object.keys(backend).filter((name) => name === 'readSync' || name === 'getInputTensorIds'),
      [],
    );
    assert.equal(tf.memory().numTensors, before);
  });
});

describe('files of a graph', () => {
  const tmpBefore = process.env.TMPDIR;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tutti-test-'));
    process.env.TMPDIR = folder;
  });
  afterEach(() => {
    if (tmpBefore === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = tmpBefore;
    rmSync(folder, { recursive: true });
  });

  it('are gone as soon as it is loaded', () => {
    const x = tf.tensor1d([1, 2, 3]);
    const graph = graphOf(x, () => x.add(1));
    assert.deepEqual(readdirSync(folder), []);
    assert.deepEqual(run(graph, x), [2, 3, 4]);
    graph.close();
    x.dispose();
  });

  it('are gone where TensorFlow does not load it', () => {
    const backend = tf.backend() as unknown as GraphBackend;
    const nodes = [
      { kind: 'operation', name: 'Nonsense', attributes: [], inputs: [], types: [] },
    ] as const;
    const recording = { nodes, outputs: [], captured: [], obstacle: undefined };
    assert.throws(() => openSession(backend, recording, []), /Nonsense/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('that cannot be written are an error: nobody computes otherwise than the others', () => {
    process.env.TMPDIR = join(folder, 'absent');
    const x = tf.tensor1d([1, 2, 3]);
    assert.throws(() => attempt(x, () => x.add(1)), { code: 'STORAGE' });
    x.dispose();
  });
});
