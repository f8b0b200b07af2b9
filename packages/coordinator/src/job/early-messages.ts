/** What workers say before it is clear which job this is: only then can they be answered. */
export interface EarlyMessages {
  /** Handles it now, or when it is clear, in the order in which it came. */
  handle(handling: () => void): void;
  /** It is clear now. */
  answer(): void;
  /** Whether it is not clear yet. */
  held(): boolean;
}

/** @param guard runs what handles a message, and knows what to do with what it throws */
export function createEarlyMessages(guard: (handling: () => void) => void): EarlyMessages {
  let waiting: (() => void)[] | undefined = [];
  return {
    handle(handling) {
      if (waiting === undefined) guard(handling);
      else waiting.push(handling);
    },
    answer() {
      const held = waiting ?? [];
      waiting = undefined;
      for (const handling of held) guard(handling);
    },
    held: () => waiting !== undefined,
  };
}
