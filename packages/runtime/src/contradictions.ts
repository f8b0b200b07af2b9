import { TuttiError } from './errors.js';

/** What decides where a job has its weights and makes its sums. */
export interface JobLayout {
  /** `colocated`: one in the process of each worker. */
  readonly servers?: number | string | undefined;
  readonly workers?: number | undefined;
  readonly aggregation?: string | undefined;
  readonly replicas?: number | undefined;
  readonly verify?: number | undefined;
}

/**
 * Refuses what no job can have together, in the same words to who sets a command and to who uses the library.
 * @param sources where values come from, such as `flag --servers`, if somebody knows
 * @throws TuttiError BAD_CONFIG
 */
export function refuseContradictions(
  layout: JobLayout,
  sources: Readonly<Partial<Record<keyof JobLayout, string>>> = {},
): void {
  const { servers, workers, aggregation, replicas = 0, verify = 0 } = layout;
  if (servers === 'colocated' && replicas > 0 && workers !== undefined && workers <= replicas) {
    throw contradiction(layout, sources, 'workers', 'replicas', {
      why: 'each copy of the weights is in the process of another worker',
      remedy: `Give at least ${replicas + 1} workers, or fewer replicas.`,
    });
  }
  if (aggregation === 'server' && verify > 0) {
    throw contradiction(layout, sources, 'aggregation', 'verify', {
      why: 'what two workers send is compared where it is added, by the coordinator',
      remedy: 'Leave out one of the two.',
    });
  }
}

/** An error of two settings that do not go together: it names both, and where each comes from if that is known. */
export function contradiction<Name extends string>(
  settings: Readonly<Partial<Record<Name, unknown>>>,
  sources: Readonly<Partial<Record<Name, string>>>,
  one: Name,
  other: Name,
  { why, remedy }: { readonly why: string; readonly remedy: string },
): TuttiError {
  const from = (name: Name) =>
    `${name} ${settings[name]}${sources[name] === undefined ? '' : ` (${sources[name]})`}`;
  return new TuttiError('BAD_CONFIG', `${from(one)} does not go with ${from(other)}: ${why}.`, {
    remedy,
    details: {
      [one]: settings[one],
      [other]: settings[other],
      sources: { [one]: sources[one], [other]: sources[other] },
    },
  });
}
