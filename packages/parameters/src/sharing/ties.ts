import { type Expression, type Shape, slice, transpose } from './expressions/expression.js';
import type { NamedWeights } from './named.js';
import { matchName } from './pattern.js';
import { badRule, called, show, type TieRule, type WeightSpec } from './rule.js';

/** What a weight is a copy of, and by which rule. */
export interface Follower {
  readonly leader: string;
  readonly tie: TieRule;
}

/** Every weight that is a copy of another, by its name. */
export function followersOf(ties: readonly TieRule[], named: NamedWeights): Map<string, Follower> {
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
function groupsOf(tie: TieRule, named: NamedWeights): WeightSpec[][] {
  const label = called('tie', tie.names);
  const twice = tie.names.find((name, at) => tie.names.indexOf(name) !== at);
  if (twice !== undefined)
    throw badRule(`tie() names "${twice}" as the copy of more than one weight`);
  const found = named(tie);
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
  const dimensions = leader.shape.map((_, at) => at).join();
  if (permutation !== undefined && [...permutation].sort().join() !== dimensions)
    throw badRule(
      `${called('tie', tie.names)} puts dimensions in the order ${show(permutation)}, but "${leader.name}" is ${show(leader.shape)}`,
      `Name each of ${show(leader.shape.map((_, at) => at))} once.`,
    );
  const turned = permutation?.map((from) => leader.shape[from]!) ?? leader.shape;
  const inside =
    begin === undefined
      ? turned.join() === follower.shape.join()
      : follower.shape.length === rank &&
        begin.length === rank &&
        begin.every(
          (at, i) => Number.isSafeInteger(at) && at >= 0 && at + follower.shape[i]! <= turned[i]!,
        );
  if (inside) return;
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
    remedyFor(tie, turned, follower.shape),
  );
}

function remedyFor({ permutation, begin }: TieRule, turned: Shape, wanted: Shape): string {
  if (begin === undefined && permutation === undefined && turned.length === 2)
    if ([...turned].reverse().join() === wanted.join())
      return 'Give { transpose: true }: the transpose fits.';
  if (begin === undefined && wanted.length === turned.length)
    if (wanted.every((extent, at) => extent <= turned[at]!))
      return 'Give `begin` for a part, { begin: [0, …] }, or the layers the same size.';
  return "Give the layers sizes that fit, or correct the program's `sharing` list.";
}

/** What a copy reads of the weight that it follows. */
export function followed(weight: WeightSpec, { tie }: Follower, leader: Expression): Expression {
  const turned = tie.permutation === undefined ? leader : transpose(leader, tie.permutation);
  return tie.begin === undefined ? turned : slice(turned, tie.begin, weight.shape);
}
