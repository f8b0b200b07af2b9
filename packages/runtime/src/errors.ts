import { limitReached } from './limit-reached.js';

/**
 * Every error that Tutti throws on purpose.
 *
 * `message` says what happened with the names and numbers; `remedy` says what the reader can do.
 * `code` is stable and documented in docs/ERRORS.md, so scripts may rely on it.
 */
export class TuttiError extends Error {
  override readonly name = 'TuttiError';
  readonly code: ErrorCode;
  readonly remedy: string;
  /** Machine-readable particulars: the file, the step, the worker, ... */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { remedy: string; cause?: unknown; details?: Record<string, unknown> },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.details = options.details ?? {};
  }
}

/** Whether this is a TuttiError, also one of another copy of this package. */
export function isTuttiError(thrown: unknown): thrown is TuttiError {
  return thrown instanceof Error && thrown.name === 'TuttiError' && 'remedy' in thrown;
}

/** Turns anything thrown into a TuttiError, keeping one that already is; a limit of the system is no INTERNAL one. */
export function toTuttiError(
  thrown: unknown,
  code: ErrorCode,
  context: string,
  remedy: string,
): TuttiError {
  if (isTuttiError(thrown)) return thrown;
  const limit = code === 'INTERNAL' ? limitReached(thrown) : undefined;
  if (limit !== undefined)
    return new TuttiError('LIMIT', limit.message, { remedy: limit.remedy, cause: thrown });
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new TuttiError(code, `${context}: ${reason}`, { remedy, cause: thrown });
}

/**
 * What a function of the program threw.
 * @param where it was thrown, such as "data()"
 */
export function programError(
  thrown: unknown,
  where: string,
  details: Readonly<Record<string, unknown>> = {},
): TuttiError {
  if (isTuttiError(thrown)) return thrown;
  const { message, remedy, cause } = toTuttiError(
    thrown,
    'PROGRAM_FAILED',
    `The program threw in ${where}`,
    'Correct the program; the stack shows where it threw.',
  );
  return new TuttiError('PROGRAM_FAILED', message, { remedy, cause, details });
}

/** What travels when an error crosses a process boundary. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly stack?: string;
}

/** An error for another process. What is no TuttiError becomes INTERNAL. */
export function errorToRecord(error: unknown): ErrorRecord {
  const known = toTuttiError(
    error,
    'INTERNAL',
    'Unexpected error',
    'This is a fault in Tutti or in the program; the stack shows where.',
  );
  const stack = stackOf(known.cause) ?? known.stack;
  return {
    code: known.code,
    message: known.message,
    remedy: known.remedy,
    details: known.details,
    ...(stack === undefined ? {} : { stack }),
  };
}

/** The stack of an error, or of one that came from another process. */
function stackOf(cause: unknown): string | undefined {
  if (cause instanceof Error) return cause.stack;
  const { remoteStack } = (cause ?? {}) as { remoteStack?: unknown };
  return typeof remoteStack === 'string' ? remoteStack : undefined;
}

/** The error that a record was made of, elsewhere: with its stack as the cause. */
export function errorFromRecord(record: ErrorRecord): TuttiError {
  return new TuttiError(record.code, record.message, {
    remedy: record.remedy,
    details: { ...record.details },
    ...(record.stack === undefined ? {} : { cause: { remoteStack: record.stack } }),
  });
}

export type ErrorCode =
  /** A setting is unknown, impossible or contradicts another. */
  | 'BAD_CONFIG'
  /** The program does not parse, exports nothing usable or cannot be imported. */
  | 'BAD_PROGRAM'
  /** The program threw, or broke its contract, while it was computing. */
  | 'PROGRAM_FAILED'
  /** A gradient, a loss or a weight is NaN or infinite. */
  | 'NOT_FINITE'
  /** A data file is missing, unreadable, truncated or malformed. */
  | 'BAD_DATA'
  /** A peer was refused: protocol version, job, program, data or session do not fit. */
  | 'REFUSED'
  /** A worker's gradients have other bits than those of the others. */
  | 'ARITHMETIC'
  /** A frame that is no message, or one over its limits. */
  | 'BAD_FRAME'
  /** A port or address cannot be used. */
  | 'ADDRESS_UNAVAILABLE'
  /** A peer went away. */
  | 'PEER_LOST'
  /** Something awaited did not come within its deadline. */
  | 'DEADLINE'
  /** A child process ended before its time. */
  | 'CHILD_DIED'
  /** Files could not be written. */
  | 'STORAGE'
  /** A folder of checkpoints holds another run, or another process writes into it. */
  | 'FOLDER_IN_USE'
  /** A checkpoint is torn, foreign or does not match its checksums. */
  | 'BAD_CHECKPOINT'
  /** A .tutti file is damaged or of a later version, or a model has a part that such a file has no words for. */
  | 'BAD_MODEL'
  /** A compressed model is larger, or less accurate, than it was to be. */
  | 'BOUND_MISSED'
  /** The latest checkpoint is wanted, and none was written yet. Only a warning. */
  | 'NO_CHECKPOINT'
  /** The native TensorFlow library cannot be loaded. */
  | 'NO_TENSORFLOW'
  /** A limit of the system: open files, memory, processes. */
  | 'LIMIT'
  /** Stopped on request. */
  | 'ABORTED'
  | 'INTERNAL';
