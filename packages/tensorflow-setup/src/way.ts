import type { Clock } from '@tutti/runtime';

/** One way to get the native binding. */
export interface Way {
  /** Reads as a noun in an error: `the download of tfjs-node itself`. */
  readonly name: string;
  /**
   * Puts a binding where tfjs-node looks for it.
   *
   * @returns the files outside of the package that the binding needs to load.
   * @throws whatever went wrong; the message is shown to the user.
   */
  prepare(context: WayContext): Promise<readonly string[]>;
}

export interface WayContext {
  /** Takes one line of progress for a human. */
  report(line: string): void;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
}
