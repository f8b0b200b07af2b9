import type { LayerLike, LayerVariable, ModelLike } from '../tfjs/layers-internals.js';

/**
 * How often a layer uses each element of its weights for one example, on average: a convolution at
 * every place of its output, a recurrent layer at every step, an embedding for every number that it
 * is given. A layer that is called several times counts as often. 1 where the shapes do not tell.
 */
export function repeatsOf(model: ModelLike, variables: readonly LayerVariable[]): number[] {
  const repeats = new Map<LayerVariable, number>();
  const visit = (layer: LayerLike, times: number) => {
    if (layer.layers !== undefined) {
      for (const child of layer.layers) visit(child, times);
      return;
    }
    const each = times * placesOf(layer);
    for (const variable of layer.weights) repeats.set(variable, each);
  };
  visit(model, 1);
  return variables.map((variable) => repeats.get(variable) ?? 1);
}

function placesOf(layer: LayerLike): number {
  const nodes = layer.inboundNodes as readonly Node[];
  const calls = Math.max(1, nodes.length);
  const [input, output] = [nodes[0]?.inputShapes, nodes[0]?.outputShapes].map(soleShape);
  if (input === undefined || output === undefined) return calls;
  const kind = layer.getClassName();
  const first = layer as LayerLike & { readonly dataFormat?: string };
  if (first.dataFormat === 'channelsFirst') return calls;
  if (kind === 'Embedding') {
    const [rows] = layer.weights[0]?.shape ?? [1];
    return (calls * product(input.slice(1))) / rows!;
  }
  if (layer.cell !== undefined || layer.forwardLayer !== undefined) return calls * (input[1] ?? 1);
  if (kind.endsWith('Transpose')) return calls * product(input.slice(1, -1));
  if (/Conv|Dense|TimeDistributed/.test(kind)) return calls * product(output.slice(1, -1));
  return calls;
}

/** One call of a layer: a shape for each of its inputs and outputs. */
interface Node {
  readonly inputShapes: readonly (readonly (number | null)[])[];
  readonly outputShapes: readonly (readonly (number | null)[])[];
}

/** Undefined where there are several, or an extent but the first is not known. */
function soleShape(shapes: Node['inputShapes'] | undefined): number[] | undefined {
  const [shape] = shapes ?? [];
  const whole = shapes?.length === 1 && shape!.slice(1).every((extent) => extent !== null);
  return whole ? (shape as number[]) : undefined;
}

const product = (extents: readonly number[]) => extents.reduce((size, extent) => size * extent, 1);
