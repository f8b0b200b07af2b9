import type { LayerLike, LayerVariable, ModelLike } from '../tfjs/layers-internals.js';

/**
 * Where Keras 3 looks for each weight in `model.weights.h5`: `layers/dense_1/vars/0`. It follows the
 * attributes of its own objects, and counts the layers of each class, whatever they are called: see
 * `_load_state` in keras/src/saving/saving_lib.py.
 */
export function weightPaths(model: ModelLike): Map<LayerVariable, string> {
  const paths = new Map<LayerVariable, string>();
  const seen = new Set<LayerLike>();
  const visit = (layer: LayerLike, path: string) => {
    // One that is in several models is where it was met first.
    if (seen.has(layer)) return;
    seen.add(layer);
    const { layers, forwardLayer, backwardLayer, cell, layer: wrapped } = layer;
    const { cells } = layer as { readonly cells?: readonly LayerLike[] };
    const parts = {
      cell,
      layer: wrapped,
      forward_layer: forwardLayer,
      backward_layer: backwardLayer,
    };
    const inner = Object.entries(parts).filter(([, part]) => part !== undefined);
    if (layers !== undefined) visitAll(layers, `${path}layers/`);
    else if (cells !== undefined) visitAll(cells, `${path}cells/`);
    else if (inner.length > 0) for (const [name, part] of inner) visit(part!, `${path}${name}/`);
    else {
      const { _trainableWeights: trained = [], _nonTrainableWeights: others = [] } = layer;
      for (const [at, variable] of [...trained, ...others].entries())
        paths.set(variable, `${path}vars/${at}`);
    }
  };
  const visitAll = (layers: readonly LayerLike[], path: string) => {
    const counts = new Map<string, number>();
    for (const layer of layers) {
      const kind = snakeCase(layer.getClassName());
      const count = counts.get(kind) ?? 0;
      counts.set(kind, count + 1);
      visit(layer, `${path}${count === 0 ? kind : `${kind}_${count}`}/`);
    }
  };
  visit(model, '');
  return paths;
}

/** As Keras' naming.to_snake_case: `p_re_lu`. A model that is not sequential is a Functional there. */
function snakeCase(className: string): string {
  if (className === 'Model') return 'functional';
  return className
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
