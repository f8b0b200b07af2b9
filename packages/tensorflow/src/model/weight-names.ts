import { TuttiError } from '@tutti/runtime';
import type { LayerLike, LayerVariable } from '../tfjs/layers-internals.js';

/** Whether a layer got its name from the program, or from a file, though tfjs might have made it. */
export type IsGiven = (layer: LayerLike) => boolean;

/**
 * Names for the weights of a layers model that are the same in every process and at every build.
 *
 * A layer that was given a name keeps it. tfjs' own names count all layers ever built in a process,
 * so any other layer is called after its class with a count inside its model, passing over what is
 * taken: `conv2d_1/kernel`, `batch_normalization_2/moving_mean`, `bidirectional_1/forward/kernel`.
 * @throws TuttiError BAD_PROGRAM if two weights have one name
 */
export function nameWeights(
  model: LayerLike,
  isGiven: IsGiven = neverAmbiguous,
): Map<LayerVariable, string> {
  const names = new Map<LayerVariable, string>();
  const owners = new Map<string, LayerVariable>();
  const give = (variable: LayerVariable, name: string) => {
    if (names.has(variable)) return;
    if (owners.has(name))
      throw new TuttiError('BAD_PROGRAM', `Two weights of the model are called "${name}"`, {
        remedy:
          'Give the layers different names, and the weights of one layer different ones in addWeight.',
      });
    owners.set(name, variable);
    names.set(variable, name);
  };

  const visit = (layer: LayerLike, scope: string) => {
    if (layer.layers !== undefined) {
      const local = nameLayers(layer, isGiven);
      for (const child of layer.layers) visit(child, join(scope, local.get(child)!));
      return;
    }
    if (layer.forwardLayer !== undefined && layer.backwardLayer !== undefined) {
      visit(layer.forwardLayer, join(scope, 'forward'));
      visit(layer.backwardLayer, join(scope, 'backward'));
    } else if (layer.layer !== undefined) {
      visit(layer.layer, scope);
    } else if (layer.cell?.cells !== undefined) {
      layer.cell.cells.forEach((cell, at) => {
        visit(cell, join(scope, `cell_${at + 1}`));
      });
    }
    const last = layer.weights.map((variable) => lastParts(variable, 1));
    const parts = new Set(last).size === last.length ? 1 : 2;
    for (const variable of layer.weights) give(variable, join(scope, lastParts(variable, parts)));
  };
  visit(model, '');
  return names;
}

/** Weights that would be trained, were it not for `trainable: false` of their layer or of a model around it. */
export function frozenWeights(model: LayerLike): ReadonlySet<LayerVariable> {
  const trained = new Set(model.trainableWeights);
  const found = new Set<LayerVariable>();
  const visit = (layer: LayerLike) => {
    for (const variable of layer._trainableWeights ?? [])
      if (!trained.has(variable)) found.add(variable);
    const inner = [layer.forwardLayer, layer.backwardLayer, layer.layer, layer.cell];
    for (const each of [...(layer.layers ?? []), ...inner, ...(layer.cell?.cells ?? [])])
      if (each !== undefined) visit(each);
  };
  visit(model);
  return found;
}

/**
 * The stable name of every layer of a model, without those of nested models. Inputs are counted in
 * the order in which the model has them, other layers from the first to the last.
 */
export function nameLayers(
  model: LayerLike,
  isGiven: IsGiven = neverAmbiguous,
): Map<LayerLike, string> {
  const layers = model.layers ?? [];
  const kinds = new Map(layers.map((layer) => [layer, automaticName(layer, isGiven)]));
  const taken = new Set(layers.filter((layer) => !kinds.get(layer)).map(({ name }) => name));
  const names = new Map<LayerLike, string>();
  const inputs = (model.inputs ?? []).map(({ sourceLayer }) => sourceLayer);
  for (const layer of [...inputs.filter((input) => kinds.has(input)), ...layers]) {
    if (names.has(layer)) continue;
    const kind = kinds.get(layer);
    const name = kind === undefined ? layer.name : firstFree(kind, taken);
    taken.add(name);
    names.set(layer, name);
  }
  return names;
}

/** `dense_1`, or the first of that kind that nobody has. */
export function firstFree(kind: string, taken: ReadonlySet<string>): string {
  let count = 1;
  while (taken.has(`${kind}_${count}`)) count++;
  return `${kind}_${count}`;
}

/** The snake-case class of a layer that got its name from tfjs (`dense_Dense7`), else undefined. */
export function automaticName(
  layer: Pick<LayerLike, 'name' | 'getClassName' | 'layers'>,
  isGiven: IsGiven = neverAmbiguous,
): string | undefined {
  const plain = ambiguousKind(layer);
  if (plain !== undefined) return isGiven(layer as LayerLike) ? undefined : plain;
  const { name } = layer;
  const className = layer.getClassName();
  const at = name.lastIndexOf(`_${className}`);
  return at > 0 && /^\d+$/.test(name.slice(at + 1 + className.length))
    ? name.slice(0, at)
    : undefined;
}

/** The kind of a model or an input that tfjs has named, or somebody who counts like it: `input2`. */
export function ambiguousKind(
  layer: Pick<LayerLike, 'name' | 'getClassName' | 'layers'>,
): string | undefined {
  let pattern: RegExp | undefined;
  if (layer.layers !== undefined) pattern = /^(?:(sequential)_|(model|functional))\d+$/;
  else if (layer.getClassName() === 'InputLayer') pattern = /^(input)\d+$/;
  const found = pattern?.exec(layer.name);
  return found?.[1] ?? found?.[2];
}

function neverAmbiguous(): boolean {
  return false;
}

/** `kernel`; two parts where an own layer has those of layers within: `inner/kernel`. */
function lastParts({ originalName }: LayerVariable, count: number): string {
  const parts = originalName.split('/');
  return parts.slice(parts.length > 2 ? -count : -1).join('/');
}

function join(scope: string, name: string): string {
  return scope === '' ? name : `${scope}/${name}`;
}
