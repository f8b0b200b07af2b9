import type { Clock } from '@tutti/runtime';
import type { RunEvent } from './events.js';

/** Shows events to somebody. Give it every event of a run, in order. */
export interface Renderer {
  (event: RunEvent): void;
  /** Writes one line to stderr without tearing what is being drawn: for logs. */
  note(line: string): void;
  /** Leaves the terminal as it was. `finished` and `failed` do it too; more than once is fine. */
  close(): void;
}

/** What is needed of a stream; process.stdout and process.stderr fit. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface RendererInit {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
}

export interface TimedRendererInit extends RendererInit {
  readonly clock: Clock;
}

/** Makes a Renderer of a function and its two additions. */
export function asRenderer(
  show: (event: RunEvent) => void,
  extra: Pick<Renderer, 'note' | 'close'>,
): Renderer {
  return Object.assign((event: RunEvent) => show(event), extra);
}
