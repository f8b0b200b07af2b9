import type { StoredParameter } from '@tutti/protocol';
import { closest, createRandom } from '@tutti/runtime';
import { constantValues } from './constants.js';
import { sharingDigest } from './digest.js';
import { evaluate } from './evaluate.js';
import {
  constant,
  type Expression,
  nodesOf,
  type Op,
  type Shape,
  sizeOf,
  slice,
  stored,
  storedIn,
  transpose,
} from './expression.js';
import { isPattern, matchName } from './pattern.js';
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

interface Follower {
  readonly leader: string;
  readonly tie: TieRule;
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
  const named = createNames(weights);
  const ties = rules.filter((rule): rule is TieRule => 'permutation' in rule);
  const kinds = rules.filter((rule): rule is KindRule => !('permutation' in rule));
  const followers = followersOf(ties, named);

  const owners = new Map<string, Defined>();
  const valuesOf = (rule: KindRule) => (weight: WeightSpec) =>
    rule.from === undefined || rule.from === 'model'
      ? modelValues(weight.name)
      : pretrainedOf(rule, weight);
  const own = (rule: KindRule, group: readonly WeightSpec[]) => {
    for (const { name } of group) refuseTaken(rule, name, followers.get(name), owners.get(name));
    const definition = rule.define(group, valuesOf(rule));
    for (const { name } of group) owners.set(name, { rule, weights: group, definition });
  };
  for (const rule of kinds) {
    const group = named(rule.kind, rule.names);
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

/** Finds the weights that a rule names: trained ones, in the order of the names, each once. */
function createNames(weights: readonly WeightSpec[]) {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const isTrained = ({ update = 'gradient' }: WeightSpec) => update === 'gradient';
  return (kind: string, names: readonly string[]): readonly WeightSpec[] => {
    const found = names.flatMap((name) => {
      if (isPattern(name)) {
        const matched = weights.filter((each) => isTrained(each) && matchName(name, each.name));
        if (matched.length > 0) return matched;
      }
      const weight = byName.get(name);
      if (weight === undefined) {
        const meant = closest(name, [...byName.keys()]);
        throw badRule(
          `${kind}() names "${name}", which is no weight of the model`,
          `${meant === undefined ? '' : `Did you mean "${meant}"? `}The weights are: ${[...byName.values()].map((each) => `${each.name} ${show(each.shape)}`).join(', ')}.`,
        );
      }
      if (!isTrained(weight))
        throw badRule(`${kind}() names "${name}", which is not trained by gradients`);
      return [weight];
    });
    return [...new Set(found)];
  };
}

function followersOf(
  ties: readonly TieRule[],
  named: ReturnType<typeof createNames>,
): Map<string, Follower> {
  const followers = new Map<string, Follower>();
  for (const tie of ties)
    for (const [leader, ...others] of groupsOf(tie, named)) {
      for (const weight of others) {
        if (followers.has(weight.name) || weight.name === leader!.name)
          throw badRule(`tie() names "${weight.name}" as the copy of more than one weight`);
        checkShapes(tie, leader!, weight);
        followers.set(weight.name, { leader: leader!.name, tie });
      }
    }
  for (const [name, { leader }] of followers) {
    const origin = followers.get(leader)?.leader;
    if (origin !== undefined)
      throw badRule(
        `tie() makes "${leader}" a copy of "${origin}" and also the origin of "${name}"`,
        `Tie "${name}" to "${origin}" itself.`,
      );
  }
  return followers;
}

/** What is tied together, the first before the others. */
function groupsOf(tie: TieRule, named: ReturnType<typeof createNames>): WeightSpec[][] {
  const label = called('tie', tie.names);
  const twice = tie.names.find((name, at) => tie.names.indexOf(name) !== at);
  if (twice !== undefined)
    throw badRule(`tie() names "${twice}" as the copy of more than one weight`);
  const found = named('tie', tie.names);
  const [pattern] = tie.names;
  const byRest = new Map<string, WeightSpec[]>();
  for (const weight of found) {
    const rest = tie.names.length === 1 ? (matchName(pattern!, weight.name)?.slice(1) ?? []) : [];
    const key = JSON.stringify(rest);
    byRest.set(key, [...(byRest.get(key) ?? []), weight]);
  }
  const { groups } = tie;
  const lists = [...byRest.values()];
  if (lists.every((list) => list.length === 1))
    throw badRule(`${label} names "${found[0]!.name}" alone`, 'Name at least two weights to tie.');
  return lists.flatMap((list) => {
    if (!Number.isSafeInteger(groups) || groups < 1 || list.length % groups !== 0)
      throw badRule(
        `${label} makes ${groups} groups of ${list.length} weights`,
        `Give \`groups\` a whole number that divides ${list.length}.`,
      );
    const each = list.length / groups;
    return Array.from({ length: groups }, (_, at) => list.slice(at * each, (at + 1) * each));
  });
}

function checkShapes(tie: TieRule, leader: WeightSpec, follower: WeightSpec): void {
  const { permutation, begin } = tie;
  const transposed = permutation?.join() === '1,0';
  const rank = leader.shape.length;
  const fits =
    permutation === undefined ||
    [...permutation].sort().join() === leader.shape.map((_, at) => at).join();
  const turned = fits
    ? (permutation?.map((from) => leader.shape[from]!) ?? leader.shape)
    : leader.shape;
  const inside =
    begin === undefined
      ? turned.join() === follower.shape.join()
      : follower.shape.length === rank &&
        begin.length === rank &&
        begin.every(
          (at, i) => Number.isSafeInteger(at) && at >= 0 && at + follower.shape[i]! <= turned[i]!,
        );
  if (fits && inside) return;
  const origin = `${begin === undefined ? '' : `the part from ${show(begin)} of `}${
    transposed
      ? 'the transpose of '
      : permutation === undefined
        ? ''
        : `the order ${show(permutation)} of `
  }"${leader.name}"`;
  throw badRule(
    `${called('tie', tie.names)}: "${follower.name}" is ${show(follower.shape)}, but ${origin} is ${
      begin === undefined ? show(turned) : `inside ${show(turned)}`
    }`,
  );
}

function followed(weight: WeightSpec, { tie }: Follower, leader: Expression): Expression {
  const turned = tie.permutation === undefined ? leader : transpose(leader, tie.permutation);
  return tie.begin === undefined ? turned : slice(turned, tie.begin, weight.shape);
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
  const { update, ...rest } = weight;
  if (owner === undefined)
    return update === 'frozen' ? [] : [update === undefined ? rest : { ...rest, update }];
  if (owner.weights[0]!.name !== weight.name) return [];
  return owner.definition.stored.map(({ name, shape }) => ({
    ...rest,
    ...(update === 'gradient' ? { update } : {}),
    name,
    shape,
  }));
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
    'Give `from` the values of every weight that the rule names.',
  );
}

function refuseTaken(
  { kind }: KindRule,
  name: string,
  follower: Follower | undefined,
  owner: Defined | undefined,
): void {
  if (follower !== undefined)
    throw badRule(
      `${kind}() names "${name}", which is a copy of "${follower.leader}"`,
      `Name "${follower.leader}" instead; its copies follow.`,
    );
  if (owner !== undefined)
    throw badRule(
      owner.rule.kind === kind
        ? `Two ${kind}() rules name "${name}"`
        : `${kind}() names "${name}", which ${called(owner.rule.kind, owner.rule.names)} shares already`,
      'A weight has one rule, besides ties that it is the first of.',
    );
}
