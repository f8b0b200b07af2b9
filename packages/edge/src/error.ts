/**
 * A `TuttiError` as `@tutti/runtime` has it, which this package does without: it has no dependencies.
 * Codes: `BAD_MODEL` for a file that cannot be read, `BAD_DATA` for an example that does not fit.
 */
export class EdgeError extends Error {
  override readonly name = 'TuttiError';
  declare readonly code: 'BAD_MODEL' | 'BAD_DATA';
  declare readonly remedy: string;
  readonly details = {};

  constructor(code: EdgeError['code'], message: string, remedy: string) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

export const refused = (how: string, remedy: string) =>
  new EdgeError('BAD_MODEL', `This .tutti file ${how}`, remedy);

/** @throws EdgeError unless it holds; without `how` for a number that stands for nothing, or for what cannot be */
export function check(holds: unknown, how = 'it does not fit together'): asserts holds {
  if (!holds) throw refused(`is damaged: ${how}`, 'Write it again, or copy it again.');
}
