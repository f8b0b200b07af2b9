/**
 * What a data set is known by. It is compared where two processes must have the same examples in the
 * same order: all of its form, and the values of a few examples.
 */
export interface DatasetIdentity {
  readonly size: number;
  /** The examples whose values were looked at. */
  readonly examples: readonly number[];
  /** Sorted by name. */
  readonly fields: readonly FieldIdentity[];
}

export interface FieldIdentity {
  readonly name: string;
  /** As `float32`. */
  readonly type: string;
  /** The shape of one example. */
  readonly shape: readonly number[];
  /** `EXAMPLE_DIGEST` characters for each of the examples, one after the other. */
  readonly digests: string;
}

/** Both data sets of a program. */
export interface DataIdentity {
  readonly training: DatasetIdentity;
  /** Absent if the program has none. */
  readonly evaluation?: DatasetIdentity;
}

/** Hexadecimal digits of a SHA-256 that are kept of a field of an example. */
export const EXAMPLE_DIGEST = 16;

/** Two data sets that should be one. */
export interface DataDifference {
  readonly set: 'training' | 'evaluation';
  /** As the end of a sentence: "801 examples instead of 800". */
  readonly what: string;
}

/** What to do about it, whoever has found it. */
export const DATA_REMEDY =
  'Give every process the same files, and have nothing drawn anew in each: instead of tf.util.shuffle or Math.random take shuffle() and split() of @tutti/data, which follow a seed.';

/**
 * The first thing in which the data of a process are not those that were expected. Undefined if none
 * is found, or nothing is known of one of them.
 */
export function dataDifference(
  expected: DataIdentity | undefined,
  found: DataIdentity | undefined,
): DataDifference | undefined {
  if (expected === undefined || found === undefined) return undefined;
  for (const set of ['training', 'evaluation'] as const) {
    const what = differenceOf(expected[set], found[set]);
    if (what !== undefined) return { set, what };
  }
  return undefined;
}

function differenceOf(
  expected: DatasetIdentity | undefined,
  found: DatasetIdentity | undefined,
): string | undefined {
  if (expected?.size !== found?.size)
    return `${found?.size ?? 'no'} examples instead of ${expected?.size ?? 'none'}`;
  if (expected === undefined || found === undefined) return undefined;
  const names = ({ fields }: DatasetIdentity) => fields.map(({ name }) => name).join(', ');
  if (names(expected) !== names(found))
    return `the fields ${names(found)} instead of ${names(expected)}`;
  for (const [at, field] of found.fields.entries()) {
    const form = ({ type, shape }: FieldIdentity) => `${type} [${shape.join(', ')}]`;
    const other = expected.fields[at]!;
    if (form(field) !== form(other))
      return `${form(field)} in field "${field.name}" of an example instead of ${form(other)}`;
  }
  return valuesDiffer(expected, found);
}

function valuesDiffer(expected: DatasetIdentity, found: DatasetIdentity): string | undefined {
  const places = new Map(expected.examples.map((example, at) => [example, at]));
  // Another version may have looked at others.
  const common = found.examples.flatMap((example, at) => {
    const there = places.get(example);
    return there === undefined ? [] : [{ example, at, there }];
  });
  const part = ({ digests }: FieldIdentity, at: number) =>
    digests.slice(at * EXAMPLE_DIGEST, (at + 1) * EXAMPLE_DIGEST);
  for (const [place, field] of found.fields.entries()) {
    const other = expected.fields[place]!;
    const differing = common.filter(({ at, there }) => part(field, at) !== part(other, there));
    const [first] = differing;
    if (first === undefined) continue;
    return `other values in field "${field.name}" at example ${first.example} (${differing.length} of the ${common.length} examples that were compared differ)`;
  }
  return undefined;
}
