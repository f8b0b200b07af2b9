import { TuttiError } from '@tutti/runtime';
import type { TriedBinding } from './try-binding.js';
import type { Way, WayContext } from './way.js';

export interface Found extends TriedBinding {
  /** The name of the way that gave the binding. */
  readonly way: string;
  readonly files: readonly string[];
}

/** The name under which a binding that was there before is reported. */
export const FOUND_IN_PLACE = 'a binding that was already in place';

/**
 * Tries what is in place, then each way in turn, until a binding loads; or in another order.
 *
 * @param tryBinding loads the binding in a process of its own, or throws the reason why it does not.
 * @param options.inPlace whether what is in place will do: `first` (the default), `last` if nothing
 *   else works, or `never`
 * @throws TuttiError NO_TENSORFLOW that names each way and why it failed; ABORTED.
 */
export async function firstThatWorks(
  ways: readonly Way[],
  tryBinding: (context: WayContext) => Promise<TriedBinding>,
  context: WayContext,
  options: { readonly inPlace?: 'first' | 'last' | 'never' } = {},
): Promise<Found> {
  const inPlace: Way = { name: FOUND_IN_PLACE, prepare: async () => [] };
  const before = options.inPlace ?? 'first';
  const all = [
    ...(before === 'first' ? [inPlace] : []),
    ...ways,
    ...(before === 'last' ? [inPlace] : []),
  ];
  const failures: { way: string; reason: string }[] = [];
  for (const way of all) {
    try {
      const files = await way.prepare(context);
      return { ...(await tryBinding(context)), way: way.name, files };
    } catch (error) {
      if (error instanceof TuttiError && error.code === 'ABORTED') throw error;
      const reason = error instanceof Error ? error.message : String(error);
      failures.push({ way: way.name, reason });
      if (way !== inPlace) context.report(`Not by ${way.name}: ${reason}.`);
    }
  }
  const list = failures.map(({ way, reason }, index) => `\n  ${index + 1}. ${way}: ${reason}`);
  throw new TuttiError(
    'NO_TENSORFLOW',
    `Native TensorFlow could not be set up. Tried:${list.join('')}`,
    {
      remedy:
        'Make one of them possible: access to storage.googleapis.com, or python3 with pip, a C++ compiler and 1.3 GB in the cache folder (TUTTI_CACHE). Then run the command again.',
      details: { failures },
    },
  );
}
