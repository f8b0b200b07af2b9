import { MAX_VALUES } from '@tutti/edge/internal';
import { createByteWriter } from './byte-writer.js';
import { type ModelSpec, openLayers, type PlacedWeight, weightsOf } from './model-spec.js';
import { isMade, type MadeWeight, openParts, type PartSpec, writeParts } from './parts.js';
import { heldBy, type Precisions, precisionsOf, writeAlone } from './write-model.js';

type PlacedMade = PlacedWeight & { readonly weight: MadeWeight };

/** A byte that says that a weight is made, and which part it is. */
const REFERENCE_BYTES = 2;

/**
 * The same model, of whose weights those stay made of parts that take fewer bytes so: weights that have a stored
 * tensor in common together. None, if readers would have to hold too much.
 */
export function chooseParts(model: ModelSpec, precisions: Precisions = {}): ModelSpec {
  const placed = weightsOf(openLayers(model));
  const made = placed.filter((each): each is PlacedMade => isMade(each.weight));
  const chosen = new Set<MadeWeight>();
  const precisionOf = precisionsOf(placed, precisions);
  for (const group of groupsOf(made)) {
    // A tensor that one weight reads alone is no shorter as a part.
    if (group.length === 1 && 'values' in group[0]!.weight.part) continue;
    const [parts, alone] = [createByteWriter(), createByteWriter()];
    writeParts(parts, openParts(group.map(({ weight }) => weight.part)), precisionOf);
    for (const each of group) writeAlone(alone, each, each.weight.alone, precisions);
    if (parts.length + REFERENCE_BYTES * group.length < alone.length)
      for (const { weight } of group) chosen.add(weight);
  }
  const keeping = (kept: ReadonlySet<MadeWeight>): ModelSpec => ({
    ...model,
    layers: model.layers.map((layer) => ({
      ...layer,
      ...(layer.weights && {
        weights: layer.weights.map((weight) =>
          isMade(weight) && !kept.has(weight) ? weight.alone : weight,
        ),
      }),
    })),
  });
  const smaller = keeping(chosen);
  const parts = openParts([...chosen].map(({ part }) => part));
  const held = heldBy(model.input, openLayers(smaller), parts);
  return held > MAX_VALUES ? keeping(new Set()) : smaller;
}

/** Weights that have tensors of the file in common. */
function groupsOf(weights: readonly PlacedMade[]): PlacedMade[][] {
  let groups: { readonly tensors: Set<PartSpec>; readonly weights: PlacedMade[] }[] = [];
  for (const each of weights) {
    const parts = [...openParts([each.weight.part]).keys()];
    const tensors = parts.filter((part) => 'values' in part);
    const joined = groups.filter((group) => tensors.some((tensor) => group.tensors.has(tensor)));
    groups = groups.filter((group) => !joined.includes(group));
    groups.push({
      tensors: new Set([...joined.flatMap((group) => [...group.tensors]), ...tensors]),
      weights: [...joined.flatMap((group) => group.weights), each],
    });
  }
  return groups.map((group) => group.weights);
}
