import assert from 'node:assert/strict';
import type { RecordedNode, Recording, Source } from './recording.js';
import { simplified } from './simplified.js';

const FLOAT = 1;
const BOOL = 10;

const from = (node: number): Source => ({ node, output: 0 });
const input = (shape: readonly number[], dtype = FLOAT): RecordedNode => ({
  kind: 'input',
  handle: 1,
  type: { dtype, shape },
});
const constant = (...values: number[]): RecordedNode => ({
  kind: 'constant',
  bytes: new Uint8Array(Int32Array.from(values).buffer),
  type: { dtype: 3, shape: [values.length] },
});
const operation = (
  name: string,
  inputs: readonly number[],
  shape: readonly number[],
  dtype = FLOAT,
): RecordedNode => ({
  kind: 'operation',
  name,
  attributes: [],
  inputs: inputs.map(from),
  types: [{ dtype, shape }],
});

/** What is left, by name, and what the outputs are. */
function namesOf(nodes: readonly RecordedNode[], ...outputs: number[]) {
  const recording: Recording = {
    nodes,
    outputs: outputs.map(from),
    captured: [],
    obstacle: undefined,
  };
  const simple = simplified(recording);
  const names = simple.nodes.map((node) => (node.kind === 'operation' ? node.name : node.kind));
  return { names, outputs: simple.outputs.map(({ node }) => node), nodes: simple.nodes };
}

describe('a simplified recording', () => {
  it('has no Reshape to the same shape and no Cast to the same type, nor what only they read', () => {
    const { names, outputs } = namesOf(
      [
        input([2, 3]),
        constant(2, 3),
        operation('Reshape', [0, 1], [2, 3]),
        operation('Cast', [2], [2, 3]),
        operation('Neg', [3], [2, 3]),
      ],
      4,
      3,
    );
    assert.deepEqual(names, ['input', 'Neg']);
    assert.deepEqual(outputs, [1, 0]);
  });

  it('keeps those that change something', () => {
    const { names } = namesOf(
      [
        input([2, 3]),
        constant(3, 2),
        operation('Reshape', [0, 1], [3, 2]),
        operation('Cast', [2], [3, 2], BOOL),
      ],
      3,
    );
    assert.deepEqual(names, ['input', 'constant', 'Reshape', 'Cast']);
  });

  it('has one Reshape of two in a row, none if that leads back', () => {
    const nodes = [
      input([2, 3]),
      constant(6),
      operation('Reshape', [0, 1], [6]),
      constant(3, 2),
      operation('Reshape', [2, 3], [3, 2]),
      constant(2, 3),
      operation('Reshape', [4, 5], [2, 3]),
    ];
    assert.deepEqual(namesOf(nodes.slice(0, 5), 4).names, ['input', 'constant', 'Reshape']);
    assert.deepEqual(namesOf(nodes, 6), { names: ['input'], outputs: [0], nodes: [nodes[0]] });
  });

  it('has one tensor of zeros for each shape and type', () => {
    const { names, outputs } = namesOf(
      [
        input([2, 3]),
        input([2, 3]),
        input([3]),
        operation('ZerosLike', [0], [2, 3]),
        operation('ZerosLike', [1], [2, 3]),
        operation('ZerosLike', [2], [3]),
      ],
      3,
      4,
      5,
    );
    assert.deepEqual(names, ['input', 'input', 'input', 'ZerosLike', 'ZerosLike']);
    assert.deepEqual(outputs, [3, 3, 4]);
  });
});
