import { allParts } from '../model/build-model.js';
import type { LayerLike, ModelLike } from '../tfjs/layers-internals.js';
import type { Override } from '../tfjs/overrides.js';

/** What `getConfig` of tfjs 4.22 forgets, by the class of the layer. */
const FORGOTTEN: Readonly<Record<string, readonly string[]>> = {
  SeparableConv2D: ['depthMultiplier'],
};

/** Has every layer tell all that it needs to be built again. */
export function completeConfigs(model: ModelLike): Override[] {
  return allParts(model).flatMap((layer) => {
    const forgotten = FORGOTTEN[layer.getClassName()];
    if (forgotten === undefined) return [];
    const { getConfig } = layer as Configured;
    const value = () => ({
      ...getConfig.call(layer),
      ...Object.fromEntries(forgotten.map((name) => [name, layer[name as keyof LayerLike]])),
    });
    return [{ target: layer, property: 'getConfig', value }];
  });
}

interface Configured extends LayerLike {
  getConfig(): object;
}
