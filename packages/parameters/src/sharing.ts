import type { StoredParameter } from '@tutti/protocol';
import { checkKeys, createRandom, TuttiError } from '@tutti/runtime';

/** A tensor that the model reads. */
export interface WeightSpec extends StoredParameter {}

/** Says how weights are computed from fewer stored parameters. Made by `tie` and `hashed`. */
export type SharingRule =
  | {
      readonly rule: 'tie';
      /** The first is stored; the others read it. */
      readonly weights: readonly string[];
      /** The others read the transpose of the first (matrices only). */
      readonly transpose: boolean;
    }
  | {
      readonly rule: 'hashed';
      readonly weight: string;
      readonly stored: number;
      readonly sign: boolean;
      readonly seed: number;
    };

/**
 * Weights with one set of values: `tie('encoder/kernel', 'decoder/kernel', { transpose: true })`.
 * The gradients of all uses are summed. The first weight gives the initial values and the name.
 */
export function tie(
  first: string,
  second: string,
  ...rest: (string | { transpose?: boolean })[]
): SharingRule {
  const last = rest[rest.length - 1];
  const options = typeof last === 'object' ? last : {};
  checkKeys('tie', options, { transpose: true });
  const names = rest.filter((entry): entry is string => typeof entry === 'string');
  return { rule: 'tie', weights: [first, second, ...names], transpose: options.transpose ?? false };
}

/**
 * HashedNets (Chen et al. 2015): each element of the weight reads one of `stored` values, chosen by
 * a seeded draw; with `sign` (the default), times a drawn +1 or -1, which makes the inner products
 * of hashed inputs unbiased (Weinberger et al. 2009).
 */
export function hashed(
  weight: string,
  options: { stored: number; sign?: boolean; seed?: number },
): SharingRule {
  checkKeys('hashed', options, { stored: true, sign: true, seed: true });
  const { stored, sign = true, seed = 0 } = options;
  return { rule: 'hashed', weight, stored, sign, seed };
}

/**
 * How one weight W follows from one stored parameter theta, element by element:
 * - identity: W = theta
 * - transpose: W = theta^T (theta is [shape[1], shape[0]])
 * - indexed: W[i] = factor[i] * theta[index[i]], over the flattened weight; factor 1 if absent
 */
export type SharingMap = {
  readonly weight: string;
  readonly shape: readonly number[];
  readonly parameter: string;
} & (
  | { readonly kind: 'identity' }
  | { readonly kind: 'transpose' }
  | {
      readonly kind: 'indexed';
      readonly index: Int32Array;
      readonly factor?: Float32Array;
    }
);

export interface Sharing {
  /** What the servers hold, in the order of the weights that name them. */
  readonly parameters: readonly StoredParameter[];
  /** One map for each weight, in the order of the weights. */
  readonly maps: readonly SharingMap[];
}

/**
 * Turns the model's weights and the program's rules into stored parameters and maps.
 * @throws TuttiError BAD_PROGRAM naming the rule and the weight that do not fit
 */
export function resolveSharing(
  weights: readonly WeightSpec[],
  rules: readonly SharingRule[] = [],
): Sharing {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const followers = new Map<string, { leader: string; transpose: boolean }>();
  const hashes = new Map<string, Extract<SharingRule, { rule: 'hashed' }>>();

  const known = (name: string, rule: string): WeightSpec => {
    const weight = byName.get(name);
    if (weight === undefined)
      throw bad(
        `${rule} names "${name}", which is no weight of the model`,
        `The weights are: ${[...byName.keys()].join(', ')}.`,
      );
    if (weight.update === 'average')
      throw bad(`${rule} names "${name}", which is not trained by gradients`);
    return weight;
  };

  for (const rule of rules) {
    if (rule.rule === 'hashed') {
      const weight = known(rule.weight, 'hashed()');
      if (hashes.has(rule.weight)) throw bad(`Two hashed() rules name "${rule.weight}"`);
      if (!Number.isSafeInteger(rule.stored) || rule.stored < 1 || rule.stored > sizeOf(weight))
        throw bad(
          `hashed("${rule.weight}") stores ${rule.stored} values for ${sizeOf(weight)} elements`,
          `Give a whole number from 1 to ${sizeOf(weight)}.`,
        );
      hashes.set(rule.weight, rule);
    } else {
      const leader = known(rule.weights[0]!, 'tie()');
      for (const name of rule.weights.slice(1)) {
        const follower = known(name, 'tie()');
        if (followers.has(name) || name === leader.name)
          throw bad(`tie() names "${name}" as the copy of more than one weight`);
        const expected = rule.transpose ? [...leader.shape].reverse() : leader.shape;
        if (
          (rule.transpose && leader.shape.length !== 2) ||
          expected.join() !== follower.shape.join()
        )
          throw bad(
            `tie(${rule.weights.map((each) => `"${each}"`).join(', ')}): "${name}" is [${follower.shape.join(', ')}], but ${
              rule.transpose ? 'the transpose of ' : ''
            }"${leader.name}" is [${expected.join(', ')}]`,
          );
        followers.set(name, { leader: leader.name, transpose: rule.transpose });
      }
    }
  }
  for (const [name, { leader }] of followers) {
    if (followers.has(leader))
      throw bad(
        `tie() makes "${leader}" a copy of "${followers.get(leader)!.leader}" and also the origin of "${name}"`,
        `Tie "${name}" to "${followers.get(leader)!.leader}" itself.`,
      );
    if (hashes.has(name))
      throw bad(
        `hashed() names "${name}", which is a copy of "${leader}"`,
        `Hash "${leader}" instead; its copies follow.`,
      );
  }

  const leaders = weights.filter(({ name }) => !followers.has(name));
  const parameters = leaders.map((weight): StoredParameter => {
    const hash = hashes.get(weight.name);
    return hash === undefined ? weight : { ...weight, shape: [hash.stored] };
  });
  const leaderMaps = new Map(
    leaders.map((weight) => [weight.name, leaderMap(weight, hashes.get(weight.name))]),
  );
  const maps = weights.map((weight): SharingMap => {
    const follower = followers.get(weight.name);
    if (follower === undefined) return leaderMaps.get(weight.name)!;
    const origin = leaderMaps.get(follower.leader)!;
    const renamed = { ...origin, weight: weight.name, shape: weight.shape };
    return follower.transpose ? transposed(origin, weight) : renamed;
  });
  return { parameters, maps };
}

function leaderMap(
  { name, shape }: WeightSpec,
  hash: Extract<SharingRule, { rule: 'hashed' }> | undefined,
): SharingMap {
  const common = { weight: name, shape, parameter: name };
  if (hash === undefined) return { ...common, kind: 'identity' };
  const size = shape.reduce((product, extent) => product * extent, 1);
  const random = createRandom('hashed', hash.seed, name);
  const index = new Int32Array(size);
  const factor = hash.sign ? new Float32Array(size) : undefined;
  for (let i = 0; i < size; i++) {
    index[i] = random.below(hash.stored);
    if (factor !== undefined) factor[i] = random.uint32() & 1 ? 1 : -1;
  }
  return { ...common, kind: 'indexed', index, ...(factor === undefined ? {} : { factor }) };
}

function transposed(origin: SharingMap, { name, shape }: WeightSpec): SharingMap {
  const common = { weight: name, shape, parameter: origin.parameter };
  if (origin.kind !== 'indexed') return { ...common, kind: 'transpose' };
  const [rows, columns] = shape as [number, number];
  const move = <T extends Int32Array | Float32Array>(from: T, to: T): T => {
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) to[r * columns + c] = from[c * rows + r]!;
    return to;
  };
  return {
    ...common,
    kind: 'indexed',
    index: move(origin.index, new Int32Array(rows * columns)),
    ...(origin.factor === undefined
      ? {}
      : { factor: move(origin.factor, new Float32Array(rows * columns)) }),
  };
}

/** W = expand(theta), flattened. */
export function expand(map: SharingMap, theta: Float32Array): Float32Array {
  if (map.kind === 'identity') return theta.slice();
  const weight = new Float32Array(sizeOf(map));
  if (map.kind === 'indexed') {
    const { index, factor } = map;
    for (let i = 0; i < weight.length; i++) {
      const value = theta[index[i]!]!;
      weight[i] = factor === undefined ? value : factor[i]! * value;
    }
    return weight;
  }
  const [rows, columns] = map.shape as [number, number];
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) weight[r * columns + c] = theta[c * rows + r]!;
  return weight;
}

/** Adds the transpose of the map, applied to dL/dW, to dL/dtheta. */
export function reduce(map: SharingMap, weightGradient: Float32Array, theta: Float32Array): void {
  if (map.kind === 'identity') {
    for (let i = 0; i < theta.length; i++) theta[i] = theta[i]! + weightGradient[i]!;
  } else if (map.kind === 'indexed') {
    const { index, factor } = map;
    for (let i = 0; i < weightGradient.length; i++) {
      const at = index[i]!;
      theta[at] = theta[at]! + (factor === undefined ? 1 : factor[i]!) * weightGradient[i]!;
    }
  } else {
    const [rows, columns] = map.shape as [number, number];
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++)
        theta[c * rows + r] = theta[c * rows + r]! + weightGradient[r * columns + c]!;
  }
}

/**
 * The stored values that belong to freshly initialised weights. A hashed parameter takes, for each
 * stored value, the first element that reads it: so its spread is that of the weight's initialiser,
 * whose fan-in is the weight's, not that of the stored vector. A value that no element reads is 0.
 */
export function storedFromWeights(
  sharing: Sharing,
  weights: Readonly<Record<string, Float32Array>>,
): Record<string, Float32Array> {
  const mapOf = new Map(sharing.maps.map((map) => [map.weight, map]));
  return Object.fromEntries(
    sharing.parameters.map(({ name, shape }) => {
      const map = mapOf.get(name)!;
      const values = weights[name]!;
      if (map.kind !== 'indexed') return [name, values.slice()];
      const theta = new Float32Array(shape[0]!);
      for (let i = values.length - 1; i >= 0; i--)
        theta[map.index[i]!] = (map.factor?.[i] ?? 1) * values[i]!;
      return [name, theta];
    }),
  );
}

function sizeOf({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function bad(message: string, remedy = "Correct the program's `sharing` list."): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}
