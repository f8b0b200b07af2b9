import { automaticName, firstFree, type IsGiven, nameLayers } from '../model/weight-names.js';
import type { LayerLike } from '../tfjs/layers-internals.js';

/**
 * tfjs' automatic names of layers (`dense_Dense7`) count everything that the process has built. Here
 * is what to call them in files, so that equal models give equal files: `dense_1`.
 */
export function stableLayerNames(model: LayerLike, isGiven: IsGiven): Map<string, string> {
  const names = new Map<string, string>();
  const taken = givenNames(model, isGiven);
  const give = (layer: LayerLike, stable: string) => {
    if (layer.name === stable) return;
    names.set(layer.name, stable);
    // What a Sequential calls the input that it adds.
    names.set(`${layer.name}_input`, `${stable}_input`);
  };
  /** Weights are saved under the name of their layer alone, so inner ones are called after outer ones. */
  const inner = (name: string) => {
    const free = taken.has(name) ? firstFree(name, taken) : name;
    taken.add(free);
    return free;
  };
  const visit = (layer: LayerLike, stable: string) => {
    give(layer, stable);
    for (const [child, name] of nameLayers(layer, isGiven)) {
      const nested = layer !== model && automaticName(child, isGiven) !== undefined;
      visit(child, nested ? inner(`${stable}_${name}`) : name);
    }
    for (const part of wrapped(layer)) {
      const kind = automaticName(part, isGiven);
      if (kind !== undefined) visit(part, inner(`${stable}_${kind}`));
    }
    if (layer.forwardLayer !== undefined && layer.backwardLayer !== undefined) {
      // Named after the layer that Bidirectional copied, which it does not keep.
      const original = layer.forwardLayer.name.replace(/^forward_/, '');
      const kind = automaticName({
        name: original,
        getClassName: () => layer.forwardLayer!.getClassName(),
      });
      if (kind === undefined) return;
      names.set(original, `${stable}_${kind}`);
      give(layer.forwardLayer, `forward_${stable}_${kind}`);
      give(layer.backwardLayer, `backward_${stable}_${kind}`);
    }
  };
  const kind = automaticName(model, isGiven);
  visit(model, kind === undefined ? model.name : `${kind}_1`);
  return names;
}

/** Those that stay, at whatever depth. */
function givenNames(layer: LayerLike, isGiven: IsGiven): Set<string> {
  const own = automaticName(layer, isGiven) === undefined ? [layer.name] : [];
  const parts = [...(layer.layers ?? []), ...wrapped(layer)];
  return new Set([...own, ...parts.flatMap((part) => [...givenNames(part, isGiven)])]);
}

function wrapped({ layer, cell }: LayerLike): LayerLike[] {
  return [layer, cell, ...(cell?.cells ?? [])].filter((inner) => inner !== undefined);
}

/** Replaces whole strings, deep inside of JSON. */
export function renameStrings(json: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof json === 'string') return names.get(json) ?? json;
  if (Array.isArray(json)) return json.map((each) => renameStrings(each, names));
  if (json === null || typeof json !== 'object') return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, renameStrings(value, names)]),
  );
}

/** Replaces the parts of a weight's path: `dense_Dense7/kernel` to `dense_1/kernel`. */
export function renamePath(path: string, names: ReadonlyMap<string, string>): string {
  return path
    .split('/')
    .map((part) => names.get(part) ?? part)
    .join('/');
}
