import type { LayerLike, LayerVariable, ModelLike } from '../tfjs/layers-internals.js';

/** What a layer gives or takes while a model is described, as tfjs has it. */
export interface SymbolicTensor {
  readonly id: number;
  readonly shape: readonly (number | null)[];
  readonly sourceLayer: ConvertibleLayer;
  readonly nodeIndex: number;
}

/** One call of a layer. */
export interface LayerNode {
  readonly inputTensors: readonly SymbolicTensor[];
  readonly outputTensors: readonly SymbolicTensor[];
}

/** The attributes of tfjs' layers that say what they compute. */
export interface ConvertibleLayer extends LayerLike {
  readonly kernel?: LayerVariable;
  readonly bias?: LayerVariable | null;
  readonly depthwiseKernel?: LayerVariable;
  readonly pointwiseKernel?: LayerVariable;
  readonly embeddings?: LayerVariable;
  readonly recurrentKernel?: LayerVariable;
  readonly gamma?: LayerVariable;
  readonly beta?: LayerVariable;
  readonly movingMean?: LayerVariable;
  readonly movingVariance?: LayerVariable;
  getConfig(): Readonly<Record<string, unknown>>;
}

export const symbolicOutput = (model: ModelLike) => model.outputs[0] as unknown as SymbolicTensor;
export const symbolicInputs = (model: ModelLike) =>
  model.inputs as unknown as readonly SymbolicTensor[];
export const nodeOf = ({ sourceLayer, nodeIndex }: SymbolicTensor) =>
  sourceLayer.inboundNodes[nodeIndex] as LayerNode;

/** The graph of a layer that is a model itself. */
export function withinModel(
  layer: LayerLike,
): Readonly<Record<'inputs' | 'outputs', readonly SymbolicTensor[]>> | undefined {
  if (layer.layers === undefined) return undefined;
  return layer as unknown as ReturnType<typeof withinModel>;
}
