/**
 * What TensorFlow calls the outputs of operations, which the nodes of a function name. Those that are
 * missing here are computed outside of functions.
 */
export const OUTPUT_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    y: 'Abs Cast Cos Erf Exp Expm1 Floor IsNan Log Log1p LogicalNot Neg OnesLike Reciprocal Round Rsqrt Sigmoid Sign Sin Sqrt Square Tanh Transpose ZerosLike',
    z: 'Add Equal Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr Maximum Minimum Mul NotEqual Pow RealDiv SigmoidGrad SquaredDifference Sub TanhGrad',
    output:
      'BatchMatMulV2 BiasAdd BiasAddGrad ConcatV2 Fill GatherV2 Max Mean Min Pack PadV2 Prod Reshape ReverseV2 Select Slice Snapshot SplitV StridedSlice Sum Tile Unpack',
    activations: 'Elu LeakyRelu Relu Relu6 Selu Softplus',
    backprops: 'EluGrad ReluGrad',
    softmax: 'Softmax',
  }).flatMap(([output, names]) => names.split(' ').map((name): [string, string] => [name, output])),
);
