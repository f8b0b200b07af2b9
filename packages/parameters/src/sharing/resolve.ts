import type { StoredParameter } from '@tutti/protocol';
import { createRandom, showValue } from '@tutti/runtime';
import { constantValues } from './constants.js';
import { sharingDigest } from './expressions/digest.js';
import { evaluate } from './expressions/evaluate.js';
import {
  constant,
  type Expression,
  nodesOf,
  type Op,
  type Shape,
  sizeOf,
  stored,
  storedIn,
} from './expressions/expression.js';
import { createNamedWeights } from './named.js';
import {
  badRule,
  called,
  type Definition,
  type KindRule,
  type SharingRule,
  show,
  type TieRule,
  type WeightSpec,
} from './rule.js';
import { type Follower, followed, followersOf } from './ties.js';

/** How one weight follows from stored parameters. */
export interface SharedWeight {
  readonly weight: string;
  readonly shape: Shape;
  /** The kind of its rule; `none` for a weight that is stored as it is. */
  readonly kind: string;
  readonly expression: Expression;
  /** The stored parameters that it reads. */
  readonly parameters: readonly string[];
}

export interface FrozenValues {
  readonly name: string;
  readonly shape: Shape;
  readonly values: Float32Array;
}

export interface Sharing {
  /** What the servers hold, in the order of the weights that name them. */
  readonly parameters: readonly StoredParameter[];
  /** In the order of the model. */
  readonly weights: readonly SharedWeight[];
  /** The digest of all maps and constants (`sharingDigest`); undefined if every weight is stored as it is. */
  readonly digest: string | undefined;
  /** The values of a constant, flat: made anew at each call. */
  constant(node: Op<'constant'>): Float32Array;
  /** What weights read of their first values and nobody stores, by the names of the weights. */
  frozen(): readonly FrozenValues[];
  /**
   * The stored values for weights that have just been made, by the names of the weights.
   * @param seed of the run; it decides what no weight gives, such as the factors of a product
   */
  initial(
    weights: Readonly<Record<string, Float32Array>>,
    seed: number,
  ): Record<string, Float32Array>;
  /** The values of a weight, in double precision. */
  expand(weight: string, stored: Readonly<Record<string, ArrayLike<number>>>): Float64Array;
}

/** The rule of a definition, with what it was made for. */
interface Defined {
  readonly rule: KindRule;
  readonly weights: readonly WeightSpec[];
  readonly definition: Definition;
}

/**
 * Turns the model's weights and the program's rules into stored parameters and expressions.
 * @param firstValues the weights as the model makes them with the program's seed; called at most once
 * @throws TuttiError BAD_PROGRAM naming the rule and the weight that do not fit
 */
export function resolveSharing(
  weights: readonly WeightSpec[],
  rules: readonly SharingRule[] = [],
  firstValues: () => Readonly<Record<string, ArrayLike<number>>> = () => {
    throw badRule('There are no first values for frozen, pruned or clustered weights');
  },
): Sharing {
  let made: Readonly<Record<string, ArrayLike<number>>> | undefined;
  const modelValues = (name: string) => {
    made ??= firstValues();
    return Float32Array.from(made[name]!);
  };
  checkRules(rules);
  const named = createNamedWeights(weights);
  const ties = rules.filter((rule): rule is TieRule => 'permutation' in rule);
  const kinds = rules.filter((rule): rule is KindRule => !('permutation' in rule));
  const followers = followersOf(ties, named);

  const owners = new Map<string, Defined>();
  const valuesOf = (rule: KindRule) => (weight: WeightSpec) =>
    rule.from === undefined || rule.from === 'model'
      ? modelValues(weight.name)
      : pretrainedOf(rule, weight);
  const own = (rule: KindRule, group: readonly WeightSpec[]) => {
    for (const weight of group)
      refuseTaken(rule, weight, followers.get(weight.name), owners.get(weight.name));
    const definition = rule.define(group, valuesOf(rule));
    for (const { name } of group) owners.set(name, { rule, weights: group, definition });
  };
  for (const rule of kinds) {
    const group = named(rule);
    if (rule.together) own(rule, group);
    else for (const weight of group) own(rule, [weight]);
  }

  const leaders = weights.filter(({ name }) => !followers.has(name));
  const expressions = new Map<string, Expression>();
  for (const weight of leaders) expressions.set(weight.name, leaderExpression(weight, owners));
  for (const weight of weights) {
    const follower = followers.get(weight.name);
    if (follower === undefined) continue;
    expressions.set(weight.name, followed(weight, follower, expressions.get(follower.leader)!));
  }

  const shared = weights.map(({ name, shape }): SharedWeight => {
    const expression = expressions.get(name)!;
    const frozen = expression.op === 'constant' ? 'frozen' : 'none';
    const kind = followers.has(name) ? 'tie' : (owners.get(name)?.rule.kind ?? frozen);
    return { weight: name, shape, kind, expression, parameters: storedIn(expression) };
  });
  const firstOf = (name: string) => {
    const rule = owners.get(name)?.rule;
    if (rule === undefined) return modelValues(name);
    return valuesOf(rule)(weights.find((weight) => weight.name === name)!);
  };
  const byName = new Map(shared.map((each) => [each.weight, each]));
  const constantOf = (node: Op<'constant'>) => constantValues(node, firstOf);
  return {
    parameters: leaders.flatMap((weight) => parametersOf(weight, owners.get(weight.name))),
    weights: shared,
    digest: shared.every(({ kind }) => kind === 'none')
      ? undefined
      : sharingDigest(shared, constantOf),
    constant: constantOf,
    frozen: () => frozenIn(shared, constantOf),
    initial: (values, seed) => initialOf(leaders, owners, values, seed),
    expand: (weight, values) =>
      evaluate(byName.get(weight)!.expression, {
        stored: (name) => values[name]!,
        constant: constantOf,
      }),
  };
}

function frozenIn(
  weights: readonly SharedWeight[],
  constantOf: Sharing['constant'],
): FrozenValues[] {
  const found = new Map<string, FrozenValues>();
  for (const { expression } of weights)
    for (const node of nodesOf(expression)) {
      if (node.op !== 'constant' || node.source.kind !== 'first') continue;
      const { weight: name } = node.source;
      if (!found.has(name)) found.set(name, { name, shape: node.shape, values: constantOf(node) });
    }
  return [...found.values()];
}

function leaderExpression(weight: WeightSpec, owners: ReadonlyMap<string, Defined>): Expression {
  const owner = owners.get(weight.name);
  if (owner !== undefined)
    return owner.definition.expressions[
      owner.weights.findIndex((each) => each.name === weight.name)
    ]!;
  if (weight.update === 'frozen')
    return constant({ kind: 'first', weight: weight.name }, weight.shape);
  return stored(weight.name, weight.shape);
}

function parametersOf(weight: WeightSpec, owner: Defined | undefined): StoredParameter[] {
  if (owner === undefined) {
    const { update, ...rest } = weight;
    return update === 'frozen' ? [] : [update === undefined ? rest : { ...rest, update }];
  }
  const { weights, definition } = owner;
  if (weights[0]!.name !== weight.name) return [];
  return definition.stored.map(({ name, shape }) => {
    // What several read is the first one's.
    const reader = definition.expressions.findIndex((each) => storedIn(each).includes(name));
    const { update, ...rest } = weights[Math.max(0, reader)]!;
    return { ...rest, ...(update === 'gradient' ? { update } : {}), name, shape };
  });
}

function initialOf(
  leaders: readonly WeightSpec[],
  owners: ReadonlyMap<string, Defined>,
  values: Readonly<Record<string, Float32Array>>,
  seed: number,
): Record<string, Float32Array> {
  const stored: Record<string, Float32Array> = {};
  const random = (name: string) => createRandom('sharing', seed, name);
  for (const weight of leaders) {
    const owner = owners.get(weight.name);
    if (owner === undefined) {
      if (weight.update !== 'frozen') stored[weight.name] = values[weight.name]!.slice();
    } else if (owner.weights[0]!.name === weight.name) {
      const { rule, definition } = owner;
      const from = (each: WeightSpec) =>
        rule.from === undefined || rule.from === 'model'
          ? values[each.name]!
          : pretrainedOf(rule, each);
      const pretrained = rule.from !== undefined;
      Object.assign(stored, definition.initial(owner.weights.map(from), { random, pretrained }));
    }
  }
  return stored;
}

function pretrainedOf({ kind, from }: KindRule, { name, shape }: WeightSpec): Float32Array {
  const values = (from as Readonly<Record<string, ArrayLike<number>>>)[name];
  if (values?.length === sizeOf(shape)) return Float32Array.from(values);
  throw badRule(
    `${called(kind, [name])} was given ${values?.length ?? 'no'} pretrained values for "${name}" ${show(shape)}, which has ${sizeOf(shape)}`,
    `Give \`from\` the values of every weight that the rule names. It has: ${Object.keys(from!).join(', ')}.`,
  );
}

/** What is in the list must have been made by a kind of sharing. */
function checkRules(rules: readonly SharingRule[]): void {
  if (!Array.isArray(rules))
    throw badRule(
      `\`sharing\` is ${showValue(rules)}, which is no list`,
      "Write rules in brackets: sharing: [hashed('hidden/kernel', { ratio: 1 / 8 })].",
    );
  for (const [at, rule] of rules.entries())
    if (typeof rule !== 'object' || rule === null || !Array.isArray(rule.names))
      throw badRule(
        `Rule ${at + 1} of \`sharing\` is ${showValue(rule)}, which is no rule`,
        "Give what hashed(), tie() and the like return: hashed('hidden/kernel', { ratio: 1 / 8 }).",
      );
}

function refuseTaken(
  rule: KindRule,
  { name, shape }: WeightSpec,
  follower: Follower | undefined,
  owner: Defined | undefined,
): void {
  if (follower !== undefined)
    throw badRule(
      `${called(rule.kind, rule.names)} names "${name}" ${show(shape)}, which is a copy of "${follower.leader}"`,
      `Name "${follower.leader}" instead; its copies follow.`,
    );
  if (owner !== undefined)
    throw badRule(
      `${called(rule.kind, rule.names)} names "${name}" ${show(shape)}, which ${called(owner.rule.kind, owner.rule.names)} shares already`,
      'A weight has one rule, besides ties that it is the first of: name others, or fewer by a pattern.',
    );
}
