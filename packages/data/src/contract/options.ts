import { showValue, TuttiError } from '@tutti/runtime';

/** An option that makes no sense. */
export function badOption(message: string, remedy: string): TuttiError {
  return new TuttiError('BAD_PROGRAM', message, { remedy });
}

/** What many readers are told, as it was given: programs run without a check of their types. */
export interface NumberOptions {
  readonly scale?: unknown;
  readonly classes?: unknown;
  /** Of one example. */
  readonly shape?: unknown;
}

/**
 * @param of whose they are, such as "csv()"
 * @throws TuttiError BAD_PROGRAM
 */
export function checkNumbers(of: string, { scale, classes, shape }: NumberOptions): void {
  if (scale !== undefined && !Number.isFinite(scale))
    throw badOption(`scale of ${of} is ${showValue(scale)}`, 'Give a number.');
  if (classes !== undefined && !isCount(classes))
    throw badOption(`classes of ${of} is ${showValue(classes)}`, 'Give their number.');
  if (shape !== undefined && !(Array.isArray(shape) && shape.every(isCount)))
    throw badOption(
      `shape of ${of} is ${showValue(shape)}`,
      'Give the shape of one example in whole numbers from 1, such as [28, 28, 1].',
    );
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;
