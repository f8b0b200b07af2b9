/**
 * Runs `task` and, whatever became of it, `cleanUp`. What the task throws is the cause, and is thrown;
 * what cleaning up throws is thrown only where the task went well.
 */
export async function withCleanUp<T>(
  cleanUp: () => unknown,
  task: () => T | Promise<T>,
): Promise<T> {
  let result: T;
  try {
    // Unnamed wait: what it awaits names its own waits.
    result = await task();
  } catch (error) {
    return failAfter(cleanUp, error);
  }
  // Unnamed wait: what it awaits names its own waits.
  await cleanUp();
  return result;
}

/** Cleans up, and throws the cause of that, whatever else is thrown meanwhile. */
export async function failAfter(cleanUp: () => unknown, cause: unknown): Promise<never> {
  try {
    // Unnamed wait: what it awaits names its own waits.
    await cleanUp();
  } catch {
    // It is of less interest than the cause, and often its consequence.
  }
  throw cause;
}
