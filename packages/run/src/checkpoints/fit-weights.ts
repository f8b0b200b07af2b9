import type { Tensor } from '@tutti/checkpoint';
import { badCheckpoint } from '@tutti/checkpoint/internal';
import { createLayout } from '@tutti/parameters';
import type { StoredParameter } from '@tutti/protocol';
import { closest } from '@tutti/runtime';

/** How many differences are told. */
const SHOWN = 6;

const REMEDY =
  'Name weights of just this model. To keep some layers and change others, load the earlier model in the program: tf.loadLayersModel of what `tutti export` wrote, see "Layers of a loaded model" in docs/PROGRAMS.md.';

const PIECE_REMEDY =
  'It is one of several files of a checkpoint: name the step-... folder that holds them.';

type Shaped = Pick<StoredParameter, 'name' | 'shape'>;

/**
 * The values of tensors, which may come in any order, as the flat vector of a program's parameters.
 * Throws BAD_CHECKPOINT naming what is missing, has another shape, is more than the program has, or is
 * not finite.
 */
export function fitWeights(
  path: string,
  tensors: readonly Tensor[],
  parameters: readonly StoredParameter[],
): Float32Array {
  const differences = misfits(tensors, parameters);
  if (differences.length > 0) {
    const more = differences.length - SHOWN;
    throw badCheckpoint(
      path,
      `it does not fit the program: ${differences.slice(0, SHOWN).join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
      tensors.some(({ name }) => /\[\d+:\d+\]$/.test(name)) ? PIECE_REMEDY : REMEDY,
    );
  }
  const { floats, parameters: placed } = createLayout(parameters);
  const flat = new Float32Array(floats);
  const byName = new Map(tensors.map(({ name, values }) => [name, values]));
  for (const { name, offset } of placed) {
    const values = byName.get(name)!;
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at >= 0)
      throw badCheckpoint(
        path,
        `its "${name}" is ${values[at]} in element ${at} of ${values.length}, and what begins so stays so`,
        'Begin with an earlier checkpoint of that run, from before its weights were lost.',
      );
    flat.set(values, offset);
  }
  return flat;
}

/** What of one is not so in the other, in words, each with the name that was probably meant. */
export function misfits(tensors: readonly Shaped[], parameters: readonly Shaped[]): string[] {
  const shapes = (all: readonly Shaped[]) =>
    new Map(all.map(({ name, shape }) => [name, `[${shape.join(', ')}]`]));
  const [there, wanted] = [shapes(tensors), shapes(parameters)];
  const surplus = [...there.keys()].filter((name) => !wanted.has(name));
  const missing = [...wanted.keys()].filter((name) => !there.has(name));
  const near = (name: string, others: readonly string[], shapeOf: ReadonlyMap<string, string>) => {
    const meant = closest(name, others);
    return meant === undefined ? '' : ` (the nearest is "${meant}" ${shapeOf.get(meant)})`;
  };
  return [
    ...[...wanted]
      .filter(([name, shape]) => there.has(name) && there.get(name) !== shape)
      .map(([name, shape]) => `"${name}" is ${there.get(name)}, in the program ${shape}`),
    ...missing.map((name) => `it lacks "${name}" ${wanted.get(name)}${near(name, surplus, there)}`),
    ...surplus.map(
      (name) => `the program has no "${name}" ${there.get(name)}${near(name, missing, wanted)}`,
    ),
  ];
}
