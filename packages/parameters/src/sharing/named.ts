import { closest } from '@tutti/runtime';
import { isPattern, matchName } from './pattern.js';
import { badRule, called, type SharingRule, show, type WeightSpec } from './rule.js';

/** The weights that a rule names: trained ones, in the order of the names, each once. */
export type NamedWeights = (rule: Pick<SharingRule, 'kind' | 'names'>) => readonly WeightSpec[];

/** @throws TuttiError BAD_PROGRAM (when called) naming what is no weight, and what there is instead */
export function createNamedWeights(weights: readonly WeightSpec[]): NamedWeights {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const isTrained = ({ update = 'gradient' }: WeightSpec) => update === 'gradient';
  return ({ kind, names }) => {
    const found = names.flatMap((name) => {
      if (isPattern(name)) {
        const matched = weights.filter((each) => isTrained(each) && matchName(name, each.name));
        if (matched.length > 0) return matched;
      }
      const weight = byName.get(name);
      if (weight === undefined)
        throw badRule(
          `${kind}() names ${JSON.stringify(name)}, which ${isPattern(name) ? 'fits' : 'is'} no weight of the model`,
          `${hint(name, [...byName.keys()])}The weights are: ${weights.map((each) => `${each.name} ${show(each.shape)}`).join(', ')}.`,
        );
      if (!isTrained(weight))
        throw badRule(
          `${called(kind, names)} names "${name}" ${show(weight.shape)}, which is not trained by gradients`,
        );
      return [weight];
    });
    return [...new Set(found)];
  };
}

/** What was probably meant. */
function hint(name: string, weights: readonly string[]): string {
  const ofLayer = weights.filter((weight) => weight.startsWith(`${name}/`));
  if (ofLayer.length > 0) return `"${name}" is a layer: name its weight, "${ofLayer[0]}". `;
  const wider = name.replace(/\*+/g, '**');
  if (wider !== name && weights.some((weight) => matchName(wider, weight)))
    return `A star stands for what has no slash: "${wider}" fits. `;
  const meant = closest(name, weights);
  return meant === undefined ? '' : `Did you mean "${meant}"? `;
}
