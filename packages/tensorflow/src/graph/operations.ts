import { type Obstacle, unsupported } from './obstacle.js';
import type { Recording } from './recording.js';
import type { Repeat } from './repeats.js';

/**
 * The operations that a graph may have. What each computes follows from its inputs and attributes
 * alone, and tfjs-node calls it with what a graph needs to know of it. graphs.test.ts has a session
 * compute every one of them.
 *
 * MatMul is not among them: see `createAcceleration`. Nor is AddN, which a session begins with any of
 * its inputs whose memory is free by then, so that rounding differs from run to run.
 */
export const OPERATIONS: ReadonlySet<string> = new Set(
  [
    'Abs Add Any ArgMax AvgPool AvgPoolGrad BatchMatMulV2 BiasAdd BiasAddGrad Cast ConcatV2 Conv2D',
    'Conv2DBackpropFilter Conv2DBackpropInput Cos DepthwiseConv2dNative',
    'DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput Elu EluGrad',
    'Equal Erf Exp ExpandDims Expm1 Fill Floor FusedBatchNorm GatherV2 Greater GreaterEqual IsNan LeakyRelu Less',
    'LessEqual Log Log1p LogicalAnd LogicalNot LogicalOr Max MaxPool MaxPoolGrad Maximum Mean Min',
    'Minimum Mul Neg NotEqual OneHot OnesLike Pack PadV2 Pow Prod RealDiv Reciprocal Relu Relu6',
    'ReluGrad Reshape ReverseV2 Round Rsqrt Select Selu Sigmoid SigmoidGrad Sign Sin Slice Softmax',
    'SoftmaxCrossEntropyWithLogits Softplus SplitV Sqrt Square SquaredDifference StridedSlice Sub',
    'Sum Tanh TanhGrad Tile Transpose Unpack UnsortedSegmentSum ZerosLike',
  ].flatMap((names) => names.split(' ')),
);

/**
 * Marks that keep TensorFlow from making an AddN of additions: it takes those that have one for such
 * as it has treated already. They are called otherwise in older versions.
 */
export const ADDITION_MARKS: readonly string[] = [
  '_grappler_ArithmeticOptimizer_AddOpsRewriteStage',
  '_grappler:ArithmeticOptimizer:AddOpsRewriteStage',
];

/**
 * Those that TensorFlow would compute as part of a convolution before them: oneDNN then makes 0 of
 * what is not a number, and nobody would learn of it in an evaluation or from layers that are not trained.
 * Nor is the addition of a single number, which oneDNN fails at where it is a bias [1, 1, 1, 1].
 */
export const NEVER_FUSED: ReadonlySet<string> = new Set(['Relu', 'Relu6']);

/** Those that tfjs-node calls without the type of their input, which a graph must be told. */
export const TYPE_MISSING: ReadonlySet<string> = new Set(['ExpandDims']);

/**
 * So many nodes take TensorFlow 4 to 5 seconds before the first result (twice as many more than twice
 * as long), in which a worker is not heard; after 15 others would take it for one that hangs. An LSTM
 * over 128 words has them where each of its steps counts, one over 900 where those are calls.
 */
export const MOST_NODES = 12_000;

/** How many nodes take as long before the first result as the call of a function. */
const NODES_OF_A_CALL = 6;

/** DT_FLOAT, DT_INT32, DT_BOOL: bytes of an element. */
const WIDTHS: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [3, 4],
  [10, 1],
]);

/** Why a recording has no graph, if it has none. */
export function obstacleIn(
  { nodes, obstacle }: Recording,
  repeats: readonly Repeat[],
): Obstacle | undefined {
  if (obstacle !== undefined) return obstacle;
  let size = nodes.length;
  for (const { instances } of repeats) {
    const { length } = instances[0]!.nodes;
    size += length + instances.length * (NODES_OF_A_CALL - length);
  }
  if (size > MOST_NODES)
    return unsupported(`it takes ${size} operations and constants, above ${MOST_NODES}`);
  for (const node of nodes) {
    if (node.kind === 'operation') {
      if (!OPERATIONS.has(node.name))
        return unsupported(`no graph may have the operation ${node.name}`);
      continue;
    }
    const { dtype, shape } = node.type;
    const width = WIDTHS.get(dtype);
    if (width === undefined)
      return unsupported(`no graph may have tensors of TensorFlow's type ${dtype}`);
    const size = shape.reduce((product, extent) => product * extent, width);
    if (node.kind === 'constant' && node.bytes.length !== size)
      return unsupported(`a constant [${shape.join(', ')}] has ${node.bytes.length} bytes`);
  }
  return undefined;
}
