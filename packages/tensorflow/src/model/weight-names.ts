import { TuttiError } from '@tutti/runtime';
import type { LayerLike, LayerVariable } from './layers-internals.js';

/**
 * Names for the weights of a layers model that are the same in every process and at every build.
 *
 * tfjs' own names count all layers ever built in a process. Here a layer that the user named keeps
 * its name; any other is called after its class with a count inside its model: `conv2d_1/kernel`,
 * `batch_normalization_2/moving_mean`, `bidirectional_1/forward/kernel`.
 * @throws TuttiError BAD_PROGRAM if two weights have one name
 */
export function nameWeights(model: LayerLike): Map<LayerVariable, string> {
  const names = new Map<LayerVariable, string>();
  const owners = new Map<string, LayerVariable>();
  const give = (variable: LayerVariable, name: string) => {
    if (names.has(variable)) return;
    if (owners.has(name))
      throw new TuttiError('BAD_PROGRAM', `Two weights of the model are called "${name}"`, {
        remedy: 'Give the layers different names.',
      });
    owners.set(name, variable);
    names.set(variable, name);
  };

  const visit = (layer: LayerLike, scope: string) => {
    if (layer.layers !== undefined) {
      const local = nameLayers(layer);
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
    for (const variable of layer.weights) give(variable, join(scope, lastPart(variable)));
  };
  visit(model, '');
  return names;
}

/** The stable name of every layer of a model, without those of nested models. */
export function nameLayers(model: LayerLike): Map<LayerLike, string> {
  const counts = new Map<string, number>();
  return new Map(
    (model.layers ?? []).map((layer) => {
      const kind = automaticName(layer);
      if (kind === undefined) return [layer, layer.name];
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      return [layer, `${kind}_${count}`];
    }),
  );
}

/** The snake-case class of a layer that got its name from tfjs (`dense_Dense7`), else undefined. */
export function automaticName(
  layer: Pick<LayerLike, 'name' | 'getClassName' | 'layers'>,
): string | undefined {
  const className = layer.getClassName();
  const { name } = layer;
  // Models and inputs are named without the class: `sequential_3`, `input2`.
  if (layer.layers !== undefined || className === 'InputLayer') {
    const plain = /^(sequential|model|input|container)_?\d+$/.exec(name);
    if (plain !== null) return plain[1]!;
  }
  const at = name.lastIndexOf(`_${className}`);
  return at > 0 && /^\d+$/.test(name.slice(at + 1 + className.length))
    ? name.slice(0, at)
    : undefined;
}

function lastPart({ originalName }: LayerVariable): string {
  return originalName.slice(originalName.lastIndexOf('/') + 1);
}

function join(scope: string, name: string): string {
  return scope === '' ? name : `${scope}/${name}`;
}
